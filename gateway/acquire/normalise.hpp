#pragma once

#include "gateway/acquire/driver.hpp"
#include "gateway/acquire/point_rule.hpp"
#include "gateway/acquire/told_number.hpp"
#include "gateway/config/binding.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gateway {

/// Turns the samples of one device into readings: the rules of each point, what points say about
/// each other, and what holds for the device as a whole. Pure but for the history it keeps; no
/// allocation per reading.
class Normaliser {
public:
    /// `firmware`: as the device said, for the profile's quirks; empty when it is not known.
    Normaliser(const DeviceConfig& device, std::string_view firmware);

    /// Judges the samples of `due` and takes their values; a sample of another row is dropped.
    /// `whole` is maintenance, mismatch or another cause that makes every reading suspect, or none.
    /// `wall_offset`: Unix time less boot time, nothing while it is not known. Returns the rows
    /// that had a sample; valid until the next call. Second samples of a row, later ones of a
    /// device that keeps them, are left in `samples` for another call.
    std::span<const std::uint16_t> judge(
        Samples& samples, PointSet due, BootTime time, Cause whole,
        std::optional<std::chrono::milliseconds> wall_offset = std::nullopt);

    /// Another unit stands where the device was: what is remembered of its values does not count.
    void forget();

    /// A sample that is older than the latest reading of its row, judged by itself: it leaves no
    /// trace in the history or the latest readings.
    Reading judge_late(Sample& sample, BootTime time, Cause whole) const;

    /// Whether the row had a sample in the last call of judge().
    bool has_judged(std::uint16_t row) const { return rows_[row].judged; }
    /// The latest reading of each row; its time is `never` when there was none.
    const std::vector<Reading>& latest() const { return latest_; }
    static constexpr BootTime never = BootTime::min();
    /// Rows whose counter was set back, in the last call of judge().
    std::span<const std::uint16_t> counter_resets() const { return resets_; }

private:
    /// What a value says of the quality of other rows.
    struct Status {
        std::uint16_t on = 0;
        std::vector<std::uint16_t> rows;
        StatusRule rule;
        Cause cause = Cause::device_status;
    };
    struct Age {
        std::uint16_t on = 0;
        std::vector<std::uint16_t> rows;
        AgeRule rule;
    };
    /// A row whose value cannot be understood without others.
    struct Told {
        ToldNumber number;
        std::optional<std::uint16_t> unit, factor;
    };
    struct Agreement {
        std::vector<std::uint16_t> rows;
        double absolute = 0, relative = 0;
        Quality on_fail = Quality::suspect;
    };
    struct Row {
        PointRule rule;
        std::unique_ptr<PointHistory> history;  // of a rule that remembers
        double scale = 1, offset = 0;
        std::unique_ptr<const Told> told;
        std::optional<std::uint16_t> fallback;
        bool awaited = false;  // is due and had no sample yet
        bool judged = false;   // in this call
    };

    std::vector<std::uint16_t> rows_of(const Profile& profile,
                                       const std::vector<std::string>& ids) const;
    Row make_row(const DeviceConfig& device, std::size_t row, std::string_view firmware) const;
    void add_rules(const Profile& profile);
    void take(Sample& sample, BootTime time);
    void judge_row(std::uint16_t row, BootTime time);
    std::optional<double> bring(std::uint16_t row);
    void compare(const Agreement& agreement);
    void follow(const Status& status);
    void follow(const Age& age, BootTime time,
                std::optional<std::chrono::milliseconds> wall_offset);
    static void judge_age(Reading& reading, Duration stale, std::chrono::milliseconds wall);
    void mark_all(Cause whole);

    std::vector<Row> rows_;
    std::vector<Reading> latest_;
    std::vector<Agreement> agreements_;
    std::vector<Status> statuses_;
    std::vector<Age> ages_;
    Duration stale_{};  // a value with a time of the device's own; zero: never
    std::vector<std::uint16_t> judged_, resets_;
};

/// The values that stand for the names: raw members of the enum, or, for a point without one, the
/// texts themselves and the whole numbers they write.
std::vector<Value> values_of(const Point& point, const std::vector<std::string>& names);

/// The row of a point, or nothing.
std::optional<std::uint16_t> row_of(const Profile& profile, std::string_view point_id);

}  // namespace gateway
