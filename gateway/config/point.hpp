#pragma once

#include "gateway/config/setting.hpp"
#include "gateway/core/fraction.hpp"
#include "gateway/core/lane.hpp"
#include "gateway/core/reading.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
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

/// number * times + plus
struct Conversion {
    Fraction times{1}, plus{0};
};

/// The unit in which the device gives a value now: the code that another value has, and how a
/// number in that unit becomes one in the point's unit.
struct UnitFrom {
    std::string point;  ///< the other value
    std::vector<std::pair<Value, Conversion>> codes;
};

/// A factor that the device tells: by its code, as a power of ten, or as the number itself.
struct ScaleFrom {
    std::string point;  ///< the other value
    std::vector<std::pair<Value, Fraction>> codes;
    bool power_of_ten = false;
    Fraction times{1};
};

/// `each`: how many rows of a kind the device has, and where the next one lies.
struct Each {
    std::string count;       ///< the value that says how many there are; empty: always `max`
    std::uint16_t max = 0;   ///< at most 256
    std::int64_t first = 1;  ///< the number that `{i}` has in the first row
    std::int64_t step = 0;   ///< from one row's address to the next one's
    std::vector<std::string> labels;
};

/// One of the rows that a point with `each` stands for.
struct PointRow {
    std::string of;            ///< the id that the profile gives
    std::uint16_t number = 1;  ///< from 1
    std::string count;         ///< the value that says how many rows there are; may be empty
    std::string label;
};

/// One quantity of the device. A point with `each` is as many points as it may have rows.
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
    std::optional<UnitFrom> unit_from;
    std::optional<ScaleFrom> scale_from;
    std::string fallback;  ///< the value that stands in where the device does not have this one
    std::optional<PointRow> row;
    bool hidden = false;  ///< read for the sake of other points, and no reading of its own
    Duration poll{};
    Report report;
    Lane lane = Lane::telemetry;  ///< `class`: billing, telemetry or diagnostic
    Publish publish = Publish::agency;
    Place place;
};

}  // namespace gateway
