#include "drivers/json/age.hpp"

#include <limits>

namespace gateway::json_text {

DeviceTime read_time(const Document& document, const std::optional<Age>& age,
                     const ClockReading& wall)
{
    DeviceTime said;
    if (!age) {
        return said;
    }
    said.wanted = true;
    const auto there = find(document, age->path);
    const bool scalar =
        there.node != nullptr && !there.twice &&
        (there.node->type == NodeType::text || there.node->type == NodeType::number);
    if (scalar) {
        const auto now = wall.state == ClockState::unset ? std::nullopt : std::optional(wall.wall);
        said.time = parse_time(document.text(*there.node), age->format, now);
    }
    return said;
}

bool Freshness::is_stale(const DeviceTime& said, Duration limit, const ClockReading& wall,
                         Instant now)
{
    if (last_ != said.time) {
        last_ = said.time;
        since_ = now;
    }
    if (now - since_ > limit) {
        return true;
    }
    constexpr auto unknown = std::numeric_limits<std::uint32_t>::max();
    const std::chrono::milliseconds error(wall.error_ms == unknown ? 0 : wall.error_ms);
    return wall.state != ClockState::unset && wall.wall - *said.time > limit + error;
}

void Freshness::mark(Samples& samples, const DeviceTime& said, std::optional<Duration> limit,
                     const ClockReading& wall, Instant now, bool retained)
{
    const bool judged = said.time && limit;
    bool stale = judged && is_stale(said, *limit, wall, now);
    if (retained && (!judged || wall.state == ClockState::unset)) {
        stale = true;
    }
    for (auto& sample : samples) {
        if (sample.raw.is_none()) {
            continue;
        }
        sample.device_time = said.time;
        if (sample.quality != Quality::good) {
            continue;
        }
        if (stale) {
            sample.quality = Quality::stale;
        } else if (said.wanted && !said.time) {
            sample.quality = Quality::suspect;
            sample.cause = Cause::clock;
        }
    }
}

}  // namespace gateway::json_text
