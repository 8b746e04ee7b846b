#pragma once

#include "gateway/config/setting.hpp"
#include "gateway/core/fraction.hpp"
#include "gateway/core/lane.hpp"
#include "gateway/core/reading.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gateway {

/// Who may see a reading; the larger is the stricter.
enum class Publish : std::uint8_t { open, agency, restricted };

/// A fraction that may come from a site parameter: parameter * times, or just `times`.
struct Factor {
    std::string parameter;  ///< empty: a plain fraction
    Fraction times{1};
};

/// When a reading is stored. All unset: every slot.
struct Report {
    std::optional<Fraction>
        deadband;  ///< in the point's unit: stored when it moved by at least this much
    bool on_change = false;
    std::optional<Duration> every;
    bool align = false;           ///< `every` falls on wall-clock multiples
    std::optional<Duration> max;  ///< the longest silence
};

struct Counter {
    std::optional<std::uint64_t>
        wrap;  ///< the count after the largest one is 0; nothing: never wraps
    bool report_reset = true;
};

struct GoodIf {
    std::string point;
    std::vector<std::string> in;
};

struct Each {
    SettingTable count;  ///< where the device says how many rows it has
    std::uint16_t max = 0;
};

/// One quantity of the device.
struct Point {
    std::string id, title, quantity, unit;
    SettingTable read;  ///< the driver's
    /// What the driver gives: int16 … uint64, float32, float64, text or bool. A sample's value and
    /// the sentinels are of this kind.
    std::string kind;
    Factor scale, offset{.parameter = {}, .times = Fraction(0)};
    std::vector<Value> missing;  ///< raw sentinels
    bool missing_nan = false;
    std::optional<Fraction> valid_low, valid_high;  ///< in the point's unit
    std::map<std::int64_t, std::string> names;      ///< `enum`
    std::vector<std::string> bad_names;             ///< `bad_enum`
    std::optional<Counter> counter;
    std::optional<Fraction> rate_per_second;  ///< largest believable change, in the unit per second
    std::optional<Duration> stuck;  ///< suspect when the raw value stays the same for longer
    std::optional<GoodIf> good_if;
    std::optional<Each> each;
    Duration poll{};
    Report report;
    Lane lane = Lane::telemetry;  ///< `class`: billing, telemetry or diagnostic
    Publish publish = Publish::agency;
    Place place;
};

}  // namespace gateway
