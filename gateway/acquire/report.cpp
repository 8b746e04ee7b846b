#include "gateway/acquire/report.hpp"

#include <algorithm>
#include <cmath>

namespace gateway {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

constexpr double double_step = 0x1p-52;
constexpr double float_step = 0x1p-23;

std::optional<double> raw_deadband(const Report& report, const Fraction& scale)
{
    if (!report.deadband || scale.numerator() == 0) {
        return std::nullopt;
    }
    return report.deadband->approximate() / std::abs(scale.approximate());
}

std::optional<milliseconds> in_ms(const std::optional<Duration>& time)
{
    return time ? std::optional(std::max(std::chrono::round<milliseconds>(*time), 1ms))
                : std::nullopt;
}

double distance(const Value& a, const Value& b)
{
    const bool wide = a.kind() == Kind::uint64 || b.kind() == Kind::uint64;
    if (!a.is_integer() || !b.is_integer() || wide) {
        return std::abs(a.approximate() - b.approximate());
    }
    const auto high = std::max(a.as_int64(), b.as_int64());
    const auto low = std::min(a.as_int64(), b.as_int64());
    return static_cast<double>(static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low));
}

}  // namespace

ReportRule::ReportRule(const Report& report, const Fraction& scale, Duration poll)
    : every_slot_(!report.deadband && !report.on_change && !report.every && !report.max),
      on_change_(report.on_change),
      align_(report.align),
      raw_deadband_(raw_deadband(report, scale)),
      every_(in_ms(report.every)),
      silence_(in_ms(report.max)
                   .value_or(std::max(std::chrono::round<milliseconds>(longest_silence),
                                      every_.value_or(0ms)))),
      slack_(std::min<milliseconds>(std::chrono::round<milliseconds>(poll / 2), 500ms))
{
}

bool ReportRule::is_due(const Reading& reading, const Stored& last,
                        std::optional<milliseconds> wall_offset) const
{
    // A reading comes a little after its slot, now more, now less: without the slack an interval
    // of whole periods would now and then be one period longer.
    const auto silent = reading.time - last.time + slack_;
    if (silent >= silence_) {
        return true;
    }
    if (reading.value.is_none()) {
        return false;
    }
    if (every_ && align_ && wall_offset) {
        const auto slot_of = [&](BootTime time) {
            return std::chrono::floor<milliseconds>(time.time_since_epoch() + *wall_offset +
                                                    slack_) /
                   *every_;
        };
        if (slot_of(reading.time) != slot_of(last.time)) {
            return true;
        }
    } else if (every_ && silent >= *every_) {
        return true;
    }
    return (on_change_ && reading.value != last.value) ||
           (raw_deadband_ && moved(reading.value, last.value));
}

bool ReportRule::moved(const Value& now, const Value& before) const
{
    if (now.is_text() || before.is_text() || before.is_none()) {
        return now != before;
    }
    // A float stands for its shortest decimal, which is within half a step of it: what has moved
    // by exactly the deadband in decimals has moved.
    const auto step = now.kind() == Kind::float32 ? float_step : double_step;
    const auto rounding =
        step * (std::abs(now.approximate()) + std::abs(before.approximate()) + *raw_deadband_);
    return distance(now, before) + rounding >= *raw_deadband_;
}

}  // namespace gateway
