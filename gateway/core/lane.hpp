#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace gateway {

/// A stream of readings with its own sequence (protocol.md, section 1). The numbers are those on
/// the wire.
enum class Lane : std::uint8_t { alarm, control, billing, telemetry, diagnostic };

constexpr std::size_t lane_count = 5;
constexpr std::array<Lane, lane_count> all_lanes{Lane::alarm, Lane::control, Lane::billing,
                                                 Lane::telemetry, Lane::diagnostic};

constexpr std::array<std::string_view, lane_count> lane_names{"alarm", "control", "billing",
                                                              "telemetry", "diagnostic"};

constexpr std::size_t index_of(Lane lane)
{
    return static_cast<std::size_t>(lane);
}

constexpr std::string_view to_string(Lane lane)
{
    return lane_names[index_of(lane)];
}

constexpr std::optional<Lane> lane_from(std::string_view name)
{
    for (const auto lane : all_lanes) {
        if (to_string(lane) == name) {
            return lane;
        }
    }
    return std::nullopt;
}

/// One value per lane.
template <typename T>
using PerLane = std::array<T, lane_count>;

}  // namespace gateway
