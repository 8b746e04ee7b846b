#pragma once

#include "gateway/acquire/driver.hpp"
#include "gateway/acquire/point_rule.hpp"
#include "gateway/config/binding.hpp"

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

    /// Judges the samples of `due` and takes their values; a sample of another row, or a second one
    /// of the same row, is passed over. `whole` is maintenance, mismatch or another cause that
    /// makes every reading suspect, or none. Returns the rows that had a sample; valid until the
    /// next call.
    std::span<const std::uint16_t> judge(Samples& samples, PointSet due, BootTime time,
                                         Cause whole);

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
    /// A point that counts as good only while another one has a certain value.
    struct Dependency {
        std::uint16_t row = 0, on = 0;
        std::vector<Value> good;
    };
    struct Agreement {
        std::vector<std::uint16_t> rows;
        double absolute = 0, relative = 0;
        Quality on_fail = Quality::suspect;
    };
    struct Row {
        PointRule rule;
        double scale = 1, offset = 0;
        bool awaited = false;  // is due and had no sample yet
        bool judged = false;   // in this call
    };

    void judge_one(Sample& sample, BootTime time);
    void compare(const Agreement& agreement);
    void follow(const Dependency& dependency);
    void mark_all(Cause whole);

    std::vector<Row> rows_;
    std::vector<PointHistory> history_;
    std::vector<Reading> latest_;
    std::vector<Agreement> agreements_;
    std::vector<Dependency> dependencies_;
    std::vector<std::uint16_t> judged_, resets_;
};

/// The values that stand for the names: raw members of the enum, or, for a point without one, the
/// texts themselves and the whole numbers they write.
std::vector<Value> values_of(const Point& point, const std::vector<std::string>& names);

/// The row of a point, or nothing.
std::optional<std::uint16_t> row_of(const Profile& profile, std::string_view point_id);

}  // namespace gateway
