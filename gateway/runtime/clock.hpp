#pragma once

#include "gateway/core/reading.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <string_view>

namespace gateway {

enum class ClockState : std::uint8_t { unset, holdover, synced };

constexpr std::string_view to_string(ClockState state)
{
    switch (state) {
        case ClockState::unset:
            return "unset";
        case ClockState::holdover:
            return "holdover";
        case ClockState::synced:
            return "synced";
    }
    return "unset";
}

/// What the machine knows of the wall clock at one instant.
struct ClockReading {
    WallTime wall;
    ClockState state = ClockState::unset;
    std::uint32_t error_ms = 0xFFFFFFFF;  ///< bound of the error of `wall`; 0xFFFFFFFF = not known
};

/// The passing of time, so that tests need not wait for it. Used on the loop.
class Clock {
public:
    Clock() = default;
    Clock(const Clock&) = delete;
    Clock& operator=(const Clock&) = delete;
    virtual ~Clock() = default;

    virtual Instant now() const = 0;
    virtual ClockReading wall() const = 0;
    virtual boost::asio::awaitable<void> sleep_until(Instant wake) = 0;
};

}  // namespace gateway
