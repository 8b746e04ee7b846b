#include "drivers/json/body.hpp"

#include <algorithm>

namespace gateway::json_text {

namespace {

bool any_of_source(const std::vector<Location>& locations, std::uint16_t source, bool plain)
{
    return std::any_of(locations.begin(), locations.end(), [&](const Location& location) {
        return location.source == source && location.plain == plain;
    });
}

}  // namespace

Status Body::take(std::string_view text, std::uint16_t source)
{
    source_ = source;
    const auto any = [&](bool plain) {
        return any_of_source(map_.points, source, plain) ||
               any_of_source(map_.identity, source, plain);
    };
    if (any(true)) {
        if (const auto taken = plain_.take_text(text, map_.limits); !taken) {
            return taken;
        }
    }
    is_json_ = any(false);
    return is_json_ ? json_.parse(text, map_.limits) : Status();
}

bool Body::counts() const
{
    return map_.only.empty() ||
           (is_json_ && std::all_of(map_.only.begin(), map_.only.end(), [this](const Only& only) {
                const auto there = find(json_, json_.root(), only.at);
                return there.node != nullptr && !there.twice &&
                       scalar_text(json_, *there.node) == only.equals;
            }));
}

DeviceTime Body::time(const ClockReading& wall) const
{
    auto said = is_json_ ? read_time(json_, map_.age, wall) : DeviceTime{};
    said.wanted = said.wanted && map_.sources[source_] == map_.main;
    return said;
}

void Body::collect(const std::vector<Location>& locations, std::span<const std::uint16_t> rows,
                   Samples& samples, bool spoken_only) const
{
    for (const auto row : rows) {
        const auto& location = locations[row];
        if (location.source != source_) {
            continue;
        }
        auto finding = extract(location.plain ? plain_ : json_, location);
        if (finding.absent && location.optional && spoken_only) {
            continue;
        }
        samples.push_back({.row = row,
                           .raw = std::move(finding.value),
                           .quality = finding.quality,
                           .cause = finding.cause});
    }
}

}  // namespace gateway::json_text
