// What one value of a device says of another: its unit and its factor.
#include "gateway/config/profile_parts.hpp"

#include <algorithm>
#include <charconv>

namespace gateway {

namespace {

/// Calls `read(value, field)` for each entry of a code table whose key is a code of the point.
void each_code(const Field& codes, const Point& point, auto&& read)
{
    codes.table([&](Table& keys) {
        if (keys.settings().empty()) {
            codes.mistake("is empty; write code = value, as in { 0 = … }");
        }
        for (const auto& [key, setting] : keys.settings()) {
            const auto field = keys[key];
            if (auto code = code_of(key, point)) {
                read(std::move(*code), field);
            } else {
                field.mistake("\"" + key + "\" is not a value that " + point.kind + " can have");
            }
        }
    });
}

std::optional<Conversion> conversion_between(const Vocabulary::Term& from,
                                             const Vocabulary::Term& to)
{
    if (!from.factor || !to.factor) {
        return std::nullopt;
    }
    const auto inverse = Fraction::of(to.factor->denominator(), to.factor->numerator());
    const auto times = inverse ? from.factor->times(*inverse) : std::nullopt;
    const auto minus = to.offset.times(Fraction(-1));
    const auto apart = minus ? from.offset.plus(*minus) : std::nullopt;
    const auto plus = apart && inverse ? apart->times(*inverse) : std::nullopt;
    return times && plus ? std::optional(Conversion{*times, *plus}) : std::nullopt;
}

/// How a number in the unit that `field` names becomes one in the point's unit.
std::optional<Conversion> parse_conversion(const Field& field, const Point& point,
                                           const Vocabulary& vocabulary)
{
    std::string unit;
    Fraction times{1};
    const auto to = vocabulary.units.find(point.unit);
    const std::string dimension = to == vocabulary.units.end() ? "" : to->second.dimension;
    if (std::holds_alternative<SettingTable>(field.setting()->value)) {
        field.table([&](Table& keys) {
            parse_unit(keys.need("unit"), unit, vocabulary, dimension);
            keys["times"].fraction(times);
        });
    } else {
        parse_unit(field, unit, vocabulary, dimension);
    }
    const auto from = vocabulary.units.find(unit);
    if (from == vocabulary.units.end() || to == vocabulary.units.end()) {
        return std::nullopt;
    }
    if (from->second.dimension != to->second.dimension) {
        field.mistake('"' + unit + "\" is a unit of " + from->second.dimension +
                      ", but the point's " + point.unit + " is one of " + to->second.dimension +
                      "; " + units_of(to->second.dimension, vocabulary));
        return std::nullopt;
    }
    auto conversion = unit == point.unit ? std::optional(Conversion{})
                                         : conversion_between(from->second, to->second);
    const auto all = conversion ? conversion->times.times(times) : std::nullopt;
    if (!all) {
        field.mistake('"' + unit + "\" cannot be converted into " + point.unit + " exactly");
        return std::nullopt;
    }
    conversion->times = *all;
    return conversion;
}

void parse_unit_from(const Field& field, const Point& point, ProfileContext& context)
{
    if (field && point.unit.empty()) {
        field.mistake("has no place here: the point has no unit");
        return;
    }
    field.table([&](Table& keys) {
        const auto source = parse_source(keys, "unit", point, context);
        const auto codes = keys.need("codes", "codes = { 0 = \"" + point.unit + "\", … }");
        context.later.emplace_back([&context, codes, source, id = point.id] {
            const auto* other = parsed_point(context, source);
            if (other == nullptr) {
                return;
            }
            UnitFrom from{.point = source, .codes = {}};
            const auto& owner = *parsed_point(context, id);
            each_code(codes, *other, [&](Value code, const Field& unit) {
                if (const auto made = parse_conversion(unit, owner, context.vocabulary)) {
                    from.codes.emplace_back(std::move(code), *made);
                }
            });
            std::ranges::find(context.profile.points, id, &Point::id)->unit_from = from;
        });
    });
}

void parse_scale_from(const Field& field, const Point& point, ProfileContext& context)
{
    field.table([&](Table& keys) {
        ScaleFrom from{.point = parse_source(keys, "scale", point, context), .codes = {}};
        keys["power_of_ten"].flag(from.power_of_ten);
        const auto times = keys["times"];
        times.fraction(from.times);
        if (from.times.numerator() == 0) {
            times.mistake("is 0 and makes every value 0; leave it out");
        }
        const auto codes = keys["codes"];
        if (codes && from.power_of_ten) {
            codes.mistake("and power_of_ten exclude each other; leave one out");
        }
        context.later.emplace_back([&context, codes, from, id = point.id]() mutable {
            const auto* other = parsed_point(context, from.point);
            if (other == nullptr) {
                return;
            }
            each_code(codes, *other, [&](Value code, const Field& factor) {
                Fraction number{0};
                factor.fraction(number);
                if (number.numerator() != 0) {
                    from.codes.emplace_back(std::move(code), number);
                } else {
                    factor.mistake("is not a factor; write a number other than 0");
                }
            });
            std::ranges::find(context.profile.points, id, &Point::id)->scale_from = from;
        });
    });
}

}  // namespace

std::optional<Value> code_of(const std::string& key, const Point& point)
{
    if (point.kind == "text") {
        return Value::of_text(key);
    }
    for (const auto& [number, name] : point.names) {
        if (name == key) {
            return Value::integer(number);
        }
    }
    const bool hex = key.starts_with("0x");
    std::int64_t number = 0;
    const auto* const begin = key.data() + (hex ? 2 : 0);
    const auto* const end = key.data() + key.size();
    const auto parsed = std::from_chars(begin, end, number, hex ? 16 : 10);
    const bool whole = parsed.ec == std::errc{} && parsed.ptr == end;
    return whole ? std::optional(Value::integer(number)) : std::nullopt;
}

const Point* parsed_point(const ProfileContext& context, const std::string& id)
{
    const std::vector<Point>& visible = context.profile.points;
    for (const auto* points : {&visible, &context.hidden}) {
        const auto found = std::ranges::find(*points, id, &Point::id);
        if (found != points->end()) {
            return &*found;
        }
    }
    return nullptr;
}

std::string add_hidden(const Field& read, const std::string& name, const Point& owner,
                       ProfileContext& context)
{
    Point hidden;
    hidden.id = owner.id + '.' + name;
    hidden.title = owner.title + ", " + name;
    hidden.hidden = true;
    hidden.place = read.place();
    parse_read(read, hidden, context);
    if (const auto rows = context.each.find(owner.id); rows != context.each.end()) {
        auto same = rows->second;
        context.each.emplace(hidden.id, std::move(same));
    } else {
        const auto known = std::ranges::find_if(context.hidden, [&](const Point& each) {
            return each.read == hidden.read && !context.each.contains(each.id);
        });
        if (known != context.hidden.end()) {
            return known->id;
        }
    }
    context.hidden.push_back(std::move(hidden));
    return context.hidden.back().id;
}

std::string parse_source(Table& keys, const std::string& name, const Point& owner,
                         ProfileContext& context)
{
    const auto read = keys["read"];
    const auto other = keys["point"];
    if (!read == !other) {
        keys.mistake("write either point = \"…\", another point, or read = { … }");
        return {};
    }
    if (read) {
        return add_hidden(read, name, owner, context);
    }
    std::string id;
    other.text(id);
    context.later.emplace_back([&context, other, id] {
        if (!id.empty()) {
            refer(other, id, context);
        }
    });
    return id;
}

void parse_told(Table& table, Point& point, ProfileContext& context)
{
    parse_unit_from(table["unit_from"], point, context);
    parse_scale_from(table["scale_from"], point, context);
    table["status"].table([&](Table& keys) { parse_status(keys, point, {point.id}, context); });
    if (const auto other = table["fallback"]) {
        point.fallback = add_hidden(other, "fallback", point, context);
    }
}

}  // namespace gateway
