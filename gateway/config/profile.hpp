#pragma once

#include "gateway/config/point.hpp"
#include "gateway/config/vocabulary.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gateway {

struct Parameter {
    std::string id, title, unit;
    Fraction low, high;
    bool required = false;
    std::optional<Fraction> otherwise;  ///< `default`
};

/// One read that says which device this is.
struct Identify {
    SettingTable read;
    std::string matches;  ///< RE2, found in the text; empty: any
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

/// What another value of the device says of the quality of points.
struct StatusRule {
    struct Codes {
        Value low, high;  ///< whole numbers, both included; or twice the same text
        Quality quality = Quality::suspect;
    };
    std::string point;                ///< the other value
    std::vector<std::string> points;  ///< empty: every point
    std::vector<Codes> codes;
    std::vector<std::pair<unsigned, Quality>> bits;  ///< 0 is the lowest; the worst set bit counts
    Quality otherwise = Quality::good;               ///< for a code that is not listed
};

/// The device says when it took the values of points, and they are stale when that is long ago.
struct AgeRule {
    enum class Is : std::uint8_t { unix_seconds, unix_ms, seconds_ago };
    std::string point;                ///< the value that says it
    std::vector<std::string> points;  ///< empty: every point
    Is is = Is::unix_seconds;
    Duration stale{};
};

/// How a device that sleeps, or needs to warm up, is brought to its first value.
struct Wake {
    std::string point;             ///< read first, whatever comes of it; empty: nothing is
    std::optional<Duration> idle;  ///< it sleeps again after so long without a request
    Duration settle{};             ///< from there to the first value
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

/// Raw bytes and the readings that must come out: decimal text by point id, and the quality behind
/// it when that is not good.
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
    std::vector<StatusRule> status;
    std::vector<AgeRule> ages;
    std::optional<Wake> wake;
    std::vector<Check> checks;
    std::vector<Quirk> quirks;
    std::vector<Alarm> alarms;  ///< the index + 0x8000 is the row
    std::vector<Acceptance> acceptance;
    std::vector<Example> examples;
    std::string sha256;  ///< of the exact bytes, 64 hex digits
    std::string file;
};

/// How many points have readings of their own.
std::size_t visible_points(const Profile& profile);

/// Parses and checks a profile. On any mistake the profile returned is not to be used.
Profile parse_profile(std::string_view text, const std::string& file, const Vocabulary& vocabulary,
                      Mistakes& mistakes);
/// With the vocabulary of `schemas_folder()`.
Profile parse_profile(std::string_view text, const std::string& file, Mistakes& mistakes);

}  // namespace gateway
