#include "gateway/config/profile_parts.hpp"

#include <algorithm>
#include <charconv>

namespace gateway {

namespace {

template <typename T>
std::optional<T> whole(std::string_view text, int base = 10)
{
    T number{};
    const auto* const end = text.data() + text.size();
    const auto parsed = [&] {
        if constexpr (std::is_integral_v<T>) {
            return std::from_chars(text.data(), end, number, base);
        } else {
            return std::from_chars(text.data(), end, number);
        }
    }();
    return parsed.ec == std::errc{} && parsed.ptr == end ? std::optional(number) : std::nullopt;
}

/// How many bits an integer kind has, and whether it is signed.
struct Width {
    std::string_view kind;
    unsigned bits;
    bool is_signed;
};
constexpr std::array<Width, 6> widths{{{"int16", 16, true},
                                       {"uint16", 16, false},
                                       {"int32", 32, true},
                                       {"uint32", 32, false},
                                       {"int64", 64, true},
                                       {"uint64", 64, false}}};

std::optional<Value> integer_sentinel(std::string_view text, const Width& width)
{
    const bool hex = text.starts_with("0x");
    const auto digits = text.substr(hex ? 2 : 0);
    if (width.is_signed) {
        const auto number = whole<std::int64_t>(digits, hex ? 16 : 10);
        const auto sign = number.value_or(0) >> (width.bits - 1);
        const bool fits = number && (sign == 0 || sign == -1);
        return fits ? std::optional(Value::integer(*number)) : std::nullopt;
    }
    const auto number = whole<std::uint64_t>(digits, hex ? 16 : 10);
    const bool fits = number && (width.bits == 64 || *number >> width.bits == 0);
    return fits ? std::optional(Value::unsigned_integer(*number)) : std::nullopt;
}

std::optional<Value> sentinel(std::string_view text, const std::string& kind)
{
    if (const auto* const width = std::ranges::find(widths, kind, &Width::kind);
        width != widths.end()) {
        return integer_sentinel(text, *width);
    }
    if (kind == "float32") {
        const auto number = whole<float>(text);
        return number ? std::optional(Value::float32(*number)) : std::nullopt;
    }
    if (kind == "float64") {
        const auto number = whole<double>(text);
        return number ? std::optional(Value::float64(*number)) : std::nullopt;
    }
    return kind == "text" ? std::optional(Value::of_text(std::string(text))) : std::nullopt;
}

}  // namespace

const Point* refer(const Field& field, const std::string& reference, const ProfileContext& context)
{
    const auto bracket = reference.find('[');
    const auto id = reference.substr(0, bracket);
    const auto& points = context.profile.points;
    const auto point = std::ranges::find(points, id, &Point::id);
    if (point == points.end()) {
        std::vector<std::string_view> names(points.size());
        std::ranges::transform(points, names.begin(), &Point::id);
        const auto near = nearest(id, names);
        field.mistake("there is no point \"" + id + '"' +
                      (near.empty() ? "" : "; the nearest is \"" + std::string(near) + '"'));
        return nullptr;
    }
    if (bracket != std::string::npos) {
        const auto row = reference.ends_with(']')
                             ? whole<unsigned>(std::string_view(reference).substr(
                                   bracket + 1, reference.size() - bracket - 2))
                             : std::nullopt;
        const auto each = context.each.find(id);
        if (each == context.each.end() || !row || *row < 1 || *row > each->second.max) {
            field.mistake(quote(Setting{.value = reference, .place = {}}) +
                          " names a row that the point does not have");
            return nullptr;
        }
    }
    return &*point;
}

void check_names(const Field& field, const std::vector<std::string>& names, const Point& point)
{
    for (const auto& name : names) {
        const auto same = [&name](const auto& member) { return member.second == name; };
        if (std::ranges::none_of(point.names, same)) {
            field.mistake('"' + name + "\" is not in the enum of " + point.id);
        }
    }
}

std::string units_of(std::string_view dimension, const Vocabulary& vocabulary)
{
    std::string all;
    for (const auto& [name, term] : vocabulary.units) {
        if (term.dimension == dimension) {
            all += (all.empty() ? "\"" : ", \"") + name + '"';
        }
    }
    return "write a unit of " + std::string(dimension) + (all.empty() ? "" : ": " + all);
}

void parse_unit(const Field& field, std::string& unit, const Vocabulary& vocabulary,
                std::string_view dimension)
{
    field.text(unit);
    if (unit.empty() || vocabulary.units.empty() || vocabulary.units.contains(unit)) {
        return;
    }
    std::vector<std::string_view> names;
    for (const auto& [name, term] : vocabulary.units) {
        if (dimension.empty() || term.dimension == dimension) {
            names.push_back(name);
        }
    }
    const auto near = nearest(unit, names);
    field.mistake(quote(*field.setting()) + " is not in units.toml; " +
                  (near.empty() ? units_of(dimension, vocabulary)
                                : "the nearest is \"" + std::string(near) + '"'));
}

void parse_id(Table& table, std::string& id, const Format& format, std::set<std::string>& taken)
{
    const auto field = table.need("id");
    field.text(id, format);
    if (!id.empty() && !taken.insert(id).second) {
        field.mistake('"' + id + "\" is used twice; give each its own id");
    }
}

void parse_missing(const Field& field, const std::string& kind, std::vector<Value>& missing,
                   bool& nan)
{
    for (const auto& item : field.items(64)) {
        const auto& value = item.setting()->value;
        const auto* written = std::get_if<std::string>(&value);
        const auto text = written == nullptr ? quote(*item.setting()) : *written;
        if (text == "nan" && kind.starts_with("float")) {
            nan = true;
        } else if (auto raw = sentinel(text, kind)) {
            missing.push_back(std::move(*raw));
        } else if (!kind.empty()) {
            const auto width = std::ranges::find(widths, kind, &Width::kind);
            const auto bits = whole<std::int64_t>(text).value_or(0);
            const bool wrapped = width != widths.end() && width->is_signed && width->bits < 64 &&
                                 bits > 0 && bits >> width->bits == 0;
            item.mistake(quote(*item.setting()) + " is not a value that " + kind + " can have" +
                         (wrapped ? "; as " + kind + " it reads " +
                                        std::to_string(bits - (std::int64_t{1} << width->bits))
                                  : ""));
        }
    }
}

}  // namespace gateway
