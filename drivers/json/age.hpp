#pragma once

#include "drivers/json/pointer.hpp"
#include "drivers/json/time_text.hpp"
#include "gateway/core/reading.hpp"
#include "gateway/runtime/clock.hpp"

#include <optional>

namespace gateway::json_text {

/// Where a device says of what time its values are, and how old they may be.
struct Age {
    Path path;
    TimeFormat format;
    std::optional<Duration> stale;
};

/// What a document says of its time.
struct DeviceTime {
    std::optional<WallTime> time;
    bool wanted = false;  ///< the profile has an age, so there should be a time
};

DeviceTime read_time(const Document& document, const std::optional<Age>& age,
                     const ClockReading& wall);

/// Whether what one source says is of now. A device whose clock has stopped is found without a wall
/// clock too: it says the same time for longer than its values may be old.
class Freshness {
public:
    /// Stamps the samples that have a value and marks them: stale, or suspect (clock) when the
    /// device does not say its time. What was `retained` by a broker is fresh only when its time
    /// and a limit say so.
    void mark(Samples& samples, const DeviceTime& said, std::optional<Duration> limit,
              const ClockReading& wall, Instant now, bool retained = false);

private:
    bool is_stale(const DeviceTime& said, Duration limit, const ClockReading& wall, Instant now);

    std::optional<WallTime> last_;
    Instant since_;  ///< last_ was said first
};

}  // namespace gateway::json_text
