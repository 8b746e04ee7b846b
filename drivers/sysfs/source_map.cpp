#include "drivers/sysfs/source_map.hpp"

#include "gateway/config/literal.hpp"

#include <string>

namespace gateway::sysfs {

namespace {

std::optional<Pattern> pattern(const SettingTable& table, std::string_view key)
{
    const auto text = get(table, key, std::string());
    return text.empty() ? std::nullopt : std::optional<Pattern>(text);
}

Pick pick_of(const std::string& name)
{
    return name == "first"     ? Pick::first
           : name == "lowest"  ? Pick::lowest
           : name == "highest" ? Pick::highest
                               : Pick::only;
}

Source read_source(const SettingTable& read)
{
    Source source{.file = get(read, "file", std::string()),
                  .where = {},
                  .times = get(read, "times", std::string()),
                  .plus = get(read, "plus", std::string()),
                  .pick = pick_of(get(read, "pick", std::string())),
                  .match = pattern(read, "match"),
                  .intact = pattern(read, "intact"),
                  .type = text_type(get(read, "type", std::string()), TextType::int64),
                  .optional = get(read, "optional", false)};
    for (const auto& item : get(read, "where", SettingList{})) {
        const auto& beside = std::get<SettingTable>(item.value);
        source.where.push_back(
            {get(beside, "file", std::string()), Pattern(get(beside, "match", std::string()))});
    }
    return source;
}

}  // namespace

SourceMap read_map(const Profile& profile)
{
    SourceMap map;
    map.settings.timeout = duration_of(profile.transport, "timeout", map.settings.timeout);
    map.settings.retries =
        static_cast<unsigned>(get<std::int64_t>(profile.transport, "retries", 0));
    for (const auto& point : profile.points) {
        map.points.push_back(read_source(point.read));
    }
    for (const auto& identify : profile.identify) {
        map.identity.push_back(read_source(identify.read));
    }
    return map;
}

}  // namespace gateway::sysfs
