#include "drivers/json/example.hpp"

#include "drivers/json/body.hpp"
#include "gateway/acquire/example.hpp"

#include <numeric>

namespace gateway::json_text {

namespace {

/// The level of `topic` that stands where the filter says {device}.
std::string device_in(std::string_view filter, std::string_view topic)
{
    while (!filter.empty() && !topic.empty()) {
        const auto wanted = filter.substr(0, filter.find('/'));
        const auto level = topic.substr(0, topic.find('/'));
        if (wanted == "{device}") {
            return std::string(level);
        }
        filter.remove_prefix(std::min(wanted.size() + 1, filter.size()));
        topic.remove_prefix(std::min(level.size() + 1, topic.size()));
    }
    return "device";
}

std::vector<std::string> run(const Example& example, const Profile& profile,
                             const ExampleKind& kind)
{
    const auto otherwise =
        get<std::string>(profile.transport, kind.source, std::string(kind.otherwise));
    const auto address = get<std::string>(example.raw, kind.source, otherwise);
    const auto device = get<std::string>(example.raw, "device", device_in(otherwise, address));
    Mistakes mistakes;
    const auto map = read_map(profile, kind.source, otherwise, device, mistakes);
    if (!mistakes.empty()) {
        return mistakes.lines();
    }
    const auto differs = [&](const std::string& what) {
        return std::vector{example.place.file + ":" + std::to_string(example.place.line) + ": " +
                           what};
    };
    Body body(map);
    std::vector<std::uint16_t> rows(map.points.size());
    std::iota(rows.begin(), rows.end(), std::uint16_t{0});
    Samples samples;
    bool brought = false;
    const auto sources = static_cast<std::uint16_t>(map.sources.size());
    for (std::uint16_t source = 0; source < sources; ++source) {
        if (!kind.brings(map.sources[source], with_device(address, device))) {
            continue;
        }
        brought = true;
        const auto taken = body.take(get<std::string>(example.raw, "body", {}), source);
        if (!taken) {
            return differs("body: " + taken.error().message());
        }
        const ClockReading wall{.wall = WallTime(std::chrono::hours(500'000)),
                                .state = ClockState::synced};
        const auto time = body.time(wall);
        if (time.wanted && !time.time) {
            return differs("transport.age: the body has no time of this format there");
        }
        if (!body.counts()) {
            return differs("transport.only: such a message does not count");
        }
        body.collect(map.points, rows, samples);
    }
    return brought ? differences_from(example, profile, std::move(samples))
                   : differs("nothing is read from " + address);
}

}  // namespace

std::vector<std::string> run_examples(const Profile& profile, const ExampleKind& kind)
{
    std::vector<std::string> differences;
    for (const auto& example : profile.examples) {
        for (auto& difference : run(example, profile, kind)) {
            differences.push_back(std::move(difference));
        }
    }
    return differences;
}

}  // namespace gateway::json_text
