#include "drivers/json/map.hpp"

#include "gateway/config/literal.hpp"

#include <re2/re2.h>

#include <algorithm>

namespace gateway::json_text {

namespace {

constexpr std::string_view placeholder = "{device}";

std::string text_of(const Setting& setting)
{
    if (const auto* text = std::get_if<std::string>(&setting.value)) {
        return *text;
    }
    if (const auto* flag = std::get_if<bool>(&setting.value)) {
        return *flag ? "true" : "false";
    }
    if (const auto* number = std::get_if<std::int64_t>(&setting.value)) {
        return std::to_string(*number);
    }
    const auto* fraction = std::get_if<Fraction>(&setting.value);
    return fraction == nullptr ? std::string() : fraction->text();
}

/// Turns the tables of one profile into what the codec works with.
class MapReader {
public:
    MapReader(const Profile& profile, std::string_view source, std::string_view otherwise,
              std::string_view device, Mistakes& mistakes)
        : profile_(profile),
          source_(source),
          otherwise_(otherwise),
          device_(device),
          step_(escape_step(device)),
          mistakes_(mistakes)
    {
    }

    DeviceMap read()
    {
        for (const auto& point : profile_.points) {
            map_.points.push_back(
                location(point.read, point.place, "point." + point.id, "float64"));
        }
        for (const auto& identify : profile_.identify) {
            const auto* usual = identify.low || identify.high ? "float64" : "text";
            map_.identity.push_back(location(identify.read, {profile_.file}, "identify", usual));
        }
        const auto& transport = profile_.transport;
        map_.main = with_device(otherwise_, device_);
        if (const auto* age = find(transport, "age")) {
            map_.age = age_of(std::get<SettingTable>(age->value));
        }
        for (const auto& each : get(transport, "only", SettingList{})) {
            const auto& table = std::get<SettingTable>(each.value);
            map_.only.push_back({pointer(table, "at"), scalar(table, "equals")});
        }
        map_.limits.bytes =
            static_cast<std::size_t>(get<std::int64_t>(transport, "max_body", 65'536));
        return std::move(map_);
    }

private:
    Pointer pointer(const SettingTable& table, std::string_view key) const
    {
        return parse_pointer(with_device(get<std::string>(table, key, {}), step_));
    }
    std::string scalar(const SettingTable& table, std::string_view key) const
    {
        const auto* setting = find(table, key);
        return setting == nullptr ? std::string() : with_device(text_of(*setting), device_);
    }

    Path path(const SettingTable& read) const
    {
        Path path;
        const SettingTable* select = nullptr;
        for (const auto* next = find(read, "select"); next != nullptr;
             next = find(*select, "then")) {
            select = &std::get<SettingTable>(next->value);
            path.selects.push_back(
                {pointer(*select, "list"), pointer(*select, "key"), scalar(*select, "equals")});
        }
        path.at = pointer(read, "at");
        for (const auto& other : get(read, "fallback", SettingList{})) {
            path.fallback.push_back(
                parse_pointer(with_device(std::get<std::string>(other.value), step_)));
        }
        return path;
    }

    std::uint16_t source_of(const SettingTable& read)
    {
        const auto address =
            with_device(get<std::string>(read, source_, std::string(otherwise_)), device_);
        const auto known = std::find(map_.sources.begin(), map_.sources.end(), address);
        const auto index = static_cast<std::uint16_t>(known - map_.sources.begin());
        if (known == map_.sources.end()) {
            map_.sources.push_back(address);
        }
        return index;
    }

    /// `usual`: the type where the profile says none.
    Location location(const SettingTable& read, const Place& place, const std::string& where,
                      const char* usual)
    {
        Location location{.path = path(read),
                          .optional = get<bool>(read, "optional", false),
                          .plain = get<bool>(read, "plain", false),
                          .source = source_of(read)};
        const auto type = get<std::string>(read, "type", usual);
        location.type = type == "int64"    ? Type::int64
                        : type == "uint64" ? Type::uint64
                        : type == "text"   ? Type::text
                        : type == "bool"   ? Type::flag
                        : type == "count"  ? Type::count
                                           : Type::float64;
        for (const auto& [words, code] : get(read, "codes", SettingTable{})) {
            location.codes.emplace(words, std::get<std::int64_t>(code.value));
        }
        if (const auto* match = find(read, "match")) {
            location.match = expression(std::get<std::string>(match->value));
            if (location.match->NumberOfCapturingGroups() != 1) {
                mistakes_.add(match->place.file.empty() ? place : match->place,
                              where + ".read.match",
                              "has not one group; write (…) around the part that counts");
            }
        }
        return location;
    }

    static std::shared_ptr<const re2::RE2> expression(const std::string& text)
    {
        re2::RE2::Options options(re2::RE2::Quiet);
        options.set_encoding(re2::RE2::Options::EncodingLatin1);
        return std::make_shared<const re2::RE2>(text, options);
    }

    std::optional<Age> age_of(const SettingTable& table)
    {
        Age age{.path = path(table), .format = {}};
        if (const auto* format = find(table, "format")) {
            const auto parsed = parse_format(std::get<std::string>(format->value));
            if (!parsed) {
                mistakes_.add(format->place, "transport.age.format",
                              "is no format; write \"unix\", \"unix_ms\", \"iso8601\", \"age\" or "
                              "a pattern such as \"%Y-%m-%dT%H:%M:%S\"");
                return std::nullopt;
            }
            age.format = *parsed;
        }
        if (const auto* zone = find(table, "zone")) {
            const auto parsed = parse_zone(std::get<std::string>(zone->value));
            if (!parsed) {
                mistakes_.add(zone->place, "transport.age.zone",
                              "is no offset from UTC; write \"+01:00\"");
                return std::nullopt;
            }
            age.format.zone = *parsed;
        }
        if (table.contains("stale")) {
            age.stale = duration_of(table, "stale", {});
        }
        return age;
    }

    const Profile& profile_;
    std::string_view source_, otherwise_, device_;
    std::string step_;
    Mistakes& mistakes_;
    DeviceMap map_;
};

bool names_device(const SettingTable& table)
{
    return std::any_of(table.begin(), table.end(), [](const auto& entry) {
        const auto& value = entry.second.value;
        if (const auto* text = std::get_if<std::string>(&value)) {
            return text->find(placeholder) != text->npos;
        }
        if (const auto* list = std::get_if<SettingList>(&value)) {
            return std::any_of(list->begin(), list->end(), [](const Setting& item) {
                return names_device(SettingTable{{"", item}});
            });
        }
        const auto* inner = std::get_if<SettingTable>(&value);
        return inner != nullptr && names_device(*inner);
    });
}

}  // namespace

DeviceMap read_map(const Profile& profile, std::string_view source, std::string_view otherwise,
                   std::string_view device, Mistakes& mistakes)
{
    return MapReader(profile, source, otherwise, device, mistakes).read();
}

std::string with_device(std::string_view text, std::string_view device)
{
    std::string out;
    for (auto at = text.find(placeholder); at != text.npos; at = text.find(placeholder)) {
        out += text.substr(0, at);
        out += device;
        text.remove_prefix(at + placeholder.size());
    }
    return out += text;
}

bool names_device(const Profile& profile)
{
    const auto reads = [](const auto& entry) { return names_device(entry.read); };
    return names_device(profile.transport) ||
           std::any_of(profile.points.begin(), profile.points.end(), reads) ||
           std::any_of(profile.identify.begin(), profile.identify.end(), reads);
}

}  // namespace gateway::json_text
