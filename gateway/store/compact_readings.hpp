#pragma once

#include "gateway/core/reading.hpp"

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace gateway {

/// Readings kept as columns: 12 bytes each while all are good and of one narrow kind, against the
/// 88 of a Reading. Their times lie within 2^30 ms (12 days) of the first one's.
class CompactReadings {
public:
    struct DeviceTime {
        std::uint32_t position = 0;
        WallTime time;
    };
    static constexpr std::int64_t most_milliseconds = std::int64_t{1} << 30;

    CompactReadings() = default;
    // NOLINTNEXTLINE(google-explicit-constructor): these are the same readings
    CompactReadings(const std::vector<Reading>& readings);
    CompactReadings(std::initializer_list<Reading> readings);

    /// False when the time of `reading` is too far from the first one's to be kept here.
    bool accepts(const Reading& reading) const;
    void push_back(const Reading& reading);

    std::size_t size() const { return alias_.size(); }
    bool empty() const { return alias_.empty(); }
    std::size_t memory_bytes() const;
    /// No body of these readings (schemas/batch.fbs, table Readings) is larger.
    std::size_t body_bytes() const;
    std::vector<Reading> expanded() const;

    /// Calls `visit(const Reading&)` for each in order.
    template <typename Visit>
    void for_each(Visit visit) const
    {
        Reading reading;
        Cursor cursor;
        while (cursor.next < size()) {
            fill(reading, cursor);
            visit(reading);
        }
    }

    // The columns. Those that would hold one thing only are empty.
    std::span<const std::uint32_t> alias() const { return alias_; }
    std::span<const std::int32_t> time() const { return time_; }  ///< ms after base()
    std::span<const std::uint32_t> word() const { return word_; }
    std::span<const Kind> kinds() const { return kinds_; }  ///< empty: all are kind()
    std::span<const std::uint64_t> wide() const { return wide_; }
    std::span<const std::string> texts() const { return texts_; }
    std::span<const Quality> quality() const { return quality_; }  ///< empty: all good
    std::span<const Cause> cause() const { return cause_; }        ///< empty: none
    std::span<const DeviceTime> device_times() const { return device_times_; }
    BootTime base() const { return base_; }
    Kind kind() const { return kind_; }
    Kind kind_at(std::size_t position) const { return kinds_.empty() ? kind_ : kinds_[position]; }

private:
    struct Cursor {
        std::size_t next = 0, wide = 0, device_time = 0;
    };
    void fill(Reading& reading, Cursor& cursor) const;

    std::vector<std::uint32_t> alias_;
    std::vector<std::int32_t> time_;
    std::vector<std::uint32_t> word_;
    std::vector<Kind> kinds_;
    std::vector<std::uint64_t> wide_;
    std::vector<std::string> texts_;
    std::vector<Quality> quality_;
    std::vector<Cause> cause_;
    std::vector<DeviceTime> device_times_;
    BootTime base_;
    Kind kind_ = Kind::none;
    std::size_t text_bytes_ = 0;
};

/// Kinds whose bits travel in the column `wide`.
constexpr bool is_wide(Kind kind)
{
    return kind == Kind::int64 || kind == Kind::uint64 || kind == Kind::float64;
}

/// Kinds that move the 32-bit word of their alias.
constexpr bool has_word(Kind kind)
{
    return kind == Kind::int32 || kind == Kind::float32 || kind == Kind::text;
}

}  // namespace gateway
