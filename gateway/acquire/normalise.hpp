#pragma once

#include "gateway/acquire/device_rules.hpp"
#include "gateway/acquire/driver.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace gateway {

/// Turns the samples of one device into readings: the rules of each point, what points say about
/// each other, and what holds for the device as a whole. Pure but for the history it keeps; no
/// allocation per reading.
class Normaliser {
public:
    Normaliser(std::uint16_t device_index, std::shared_ptr<const DeviceRules> rules);

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
    const DeviceRules& rules() const { return *rules_; }
    /// Rows whose counter was set back, in the last call of judge().
    std::span<const std::uint16_t> counter_resets() const { return resets_; }

private:
    struct Row {
        bool awaited = false;  // is due and had no sample yet
        bool judged = false;   // in this call
    };

    PointHistory* history_of(std::uint16_t row);
    void take(Sample& sample, BootTime time);
    void judge_row(std::uint16_t row, BootTime time);
    std::optional<double> bring(std::uint16_t row);
    void compare(const DeviceRules::Agreement& agreement);
    void follow(const DeviceRules::Status& status);
    void follow(const DeviceRules::Age& age, BootTime time,
                std::optional<std::chrono::milliseconds> wall_offset);
    static void judge_age(Reading& reading, Duration stale, std::chrono::milliseconds wall);
    void mark_all(Cause whole);

    std::shared_ptr<const DeviceRules> rules_;
    std::vector<Row> rows_;
    std::vector<PointHistory> histories_;
    std::vector<Reading> latest_;
    std::vector<std::uint16_t> judged_, resets_;
};

}  // namespace gateway
