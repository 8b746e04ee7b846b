#pragma once

#include "gateway/core/lane.hpp"
#include "gateway/core/quality.hpp"
#include "gateway/core/value.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace gateway {

/// CLOCK_BOOTTIME: steady, and it counts while the machine sleeps. Real reading in `runtime/clock`.
struct BootClock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<BootClock, duration>;
    static constexpr bool is_steady = true;
};

using Duration = BootClock::duration;
using Instant = BootClock::time_point;
/// What a reading carries: CLOCK_BOOTTIME in ms.
using BootTime = std::chrono::time_point<BootClock, std::chrono::milliseconds>;
/// Unix time in ms, as far as the machine knows it.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

/// Which quantity of which device: device << 16 | row (protocol.md, section 2). The dictionary of
/// the device names it.
struct Alias {
    std::uint16_t device = 0;  ///< 0 is the box itself
    std::uint16_t row = 0;

    static constexpr std::uint16_t first_alarm = 0x8000;
    static constexpr std::uint16_t whole_device = 0xFFFF;

    constexpr std::uint32_t packed() const { return (std::uint32_t{device} << 16) | row; }
    static constexpr Alias from(std::uint32_t packed)
    {
        return {static_cast<std::uint16_t>(packed >> 16), static_cast<std::uint16_t>(packed)};
    }
    friend auto operator<=>(const Alias&, const Alias&) = default;
};

/// What a driver obtained for one point: a raw value, or the reason why there is none.
struct Sample {
    std::uint16_t row = 0;            ///< into the device's points
    Value raw;                        ///< none when there is no value
    Quality quality = Quality::good;  ///< good, comm_error, missing or bad; stale, suspect: a value
    Cause cause = Cause::none;
    std::optional<WallTime> device_time;
};

using Samples = std::vector<Sample>;

/// A sample after the quality rules: what is stored and sent. The value is never altered by a rule.
struct Reading {
    Alias alias;
    BootTime time;
    Value value;
    Quality quality = Quality::good;
    Cause cause = Cause::none;
    std::optional<WallTime> device_time;

    friend bool operator==(const Reading&, const Reading&) = default;
};

}  // namespace gateway
