#pragma once

#include "gateway/config/setting.hpp"
#include "gateway/config/vocabulary.hpp"
#include "gateway/core/fraction.hpp"
#include "gateway/core/lane.hpp"
#include "gateway/core/reading.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
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

struct Parameter {
    std::string id, title, unit;
    Fraction low, high;
    bool required = false;
    std::optional<Fraction> otherwise;  ///< `default`
};

/// One read that says which device this is.
struct Identify {
    SettingTable read;
    std::string matches;  ///< RE2, the whole text; empty: any
    std::optional<Fraction> low, high;
    std::string captures;  ///< serial, firmware, hardware, make, model
    bool required = false;
};

/// Points that must agree.
struct Check {
    std::string id;
    std::vector<std::string> points;
    Fraction absolute, relative;  ///< relative: 70% is 7/10
    Quality on_fail = Quality::suspect;
    Place place;
};

struct AlarmCondition {
    std::optional<Fraction> above, below;
    std::vector<std::string> in, not_in;
    Duration hold{};  ///< `for`
};

struct Alarm {
    std::string id, point, severity, text;
    AlarmCondition when, clear;
    Place place;
};

struct Quirk {
    std::string vendor, firmware, point, note;
    std::vector<Value> missing;
};

struct Acceptance {
    std::string id, kind;
    SettingTable settings;
    Place place;
};

/// Raw bytes and the readings that must come out; decimal text by point id.
struct Example {
    SettingTable raw;  ///< the driver's, e.g. `registers`
    std::map<std::string, std::string> expect;
    Place place;
};

/// A device model as procured: how to identify, read, judge and accept it (schema
/// smartstate.profile/1).
struct Profile {
    std::string id, version, title, category;
    bool final = false;
    std::vector<std::string> conforms, sources;
    std::string vendor, firmware;
    std::vector<std::string> models, hardware;
    std::string zone, require;
    bool cleartext = false;
    std::string driver;
    SettingTable transport;
    std::vector<Parameter> parameters;
    std::vector<Identify> identify;
    std::vector<Point> points;  ///< the index is the row
    std::vector<Check> checks;
    std::vector<Quirk> quirks;
    std::vector<Alarm> alarms;  ///< the index + 0x8000 is the row
    std::vector<Acceptance> acceptance;
    std::vector<Example> examples;
    std::string sha256;  ///< of the exact bytes, 64 hex digits
    std::string file;
};

/// Parses and checks a profile. On any mistake the profile returned is not to be used.
Profile parse_profile(std::string_view text, const std::string& file, const Vocabulary& vocabulary,
                      Mistakes& mistakes);
/// With the vocabulary of `schemas_folder()`.
Profile parse_profile(std::string_view text, const std::string& file, Mistakes& mistakes);

}  // namespace gateway
