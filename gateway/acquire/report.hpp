#pragma once

#include "gateway/config/profile.hpp"

#include <chrono>
#include <optional>

namespace gateway {

/// How long nothing may be said of a device or a point that reports by exception, where the profile
/// gives no other limit.
constexpr Duration longest_silence = std::chrono::minutes(15);

/// What was last stored of a point.
struct Stored {
    Value value;
    BootTime time;
    Quality quality = Quality::good;
    Cause cause = Cause::none;
    bool any = false;
};

/// Report by exception: whether a reading is stored or suppressed. A change of quality or cause is
/// always stored; a reading without a value else only once per silence.
class ReportRule {
public:
    ReportRule(const Report& report, const Fraction& scale, Duration poll);

    /// `wall_offset`: Unix time less boot time, nothing while it is not known.
    bool stores(const Reading& reading, const Stored& last,
                std::optional<std::chrono::milliseconds> wall_offset) const
    {
        if (!last.any || reading.quality != last.quality || reading.cause != last.cause) {
            return true;
        }
        return every_slot_ && !reading.value.is_none() ? true : is_due(reading, last, wall_offset);
    }
    /// Whether it comes closer after the last one than the distance.
    bool is_too_close(const Reading& reading, const Stored& last, Duration distance) const
    {
        return last.any && reading.time + slack_ < last.time + distance;
    }
    void remember(const Reading& reading, Stored& last) const
    {
        last.time = reading.time;
        last.quality = reading.quality;
        last.cause = reading.cause;
        last.any = true;
        if (!every_slot_) {
            last.value = reading.value;
        }
    }

private:
    bool is_due(const Reading& reading, const Stored& last,
                std::optional<std::chrono::milliseconds> wall_offset) const;
    bool moved(const Value& now, const Value& before) const;

    bool every_slot_, on_change_, align_;
    std::optional<double> raw_deadband_;
    std::optional<std::chrono::milliseconds> every_;
    std::chrono::milliseconds silence_, slack_;
};

}  // namespace gateway
