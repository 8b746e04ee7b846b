#pragma once

#include "gateway/config/profile.hpp"
#include "gateway/runtime/clock.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace gateway {

/// The points that are due at one instant, and the slots that went by unread.
struct Due {
    std::vector<std::uint16_t> rows;   ///< ascending
    PerLane<std::uint64_t> skipped{};  ///< slots of these points that passed before
};

/// When the points of one device are due: the first poll at once, then a grid of whole periods.
/// While the wall clock is synced, or known when it begins, the grid stands at multiples of the
/// period in Unix time plus a phase of the device's own, else at multiples from the first poll.
/// Slots that pass unread are skipped, never made up.
class Schedule {
public:
    /// `window`: devices are spread over this much time by a hash of their id, at most one period,
    /// to at most ten instants that they share, 0.1 s or more apart.
    Schedule(std::span<const Point> points, std::string_view device_id, Duration window);

    /// Moves the grid onto the wall clock when it is synced and the grid stands elsewhere. A clock
    /// that is slewed or stepped by less than half a period takes the slots along: each is read
    /// once.
    void follow(Instant now, const ClockReading& wall);
    /// The earliest instant at which a point is due; Instant::max() when there are no points.
    Instant next() const;
    /// Takes everything that is due at `now`. Valid until the next call.
    const Due& take(Instant now);
    /// The slots of rows that the device does not have are not counted as skipped.
    void count_slots_of(std::span<const Point> points,
                        const std::function<bool(std::uint16_t row)>& exists);
    /// The shortest period of a point; a minute when there are none.
    Duration shortest() const { return shortest_; }

private:
    struct Group {
        Duration period;
        std::vector<std::uint16_t> rows;
        PerLane<std::uint64_t> slots{};  // points per lane
        Instant next = Instant::min();
    };

    void move(Duration span);
    Instant grid_after(Instant time, Duration period) const;

    std::vector<Group> groups_;
    Duration shortest_;
    Duration phase_;
    Instant anchor_ = Instant::min();
    bool on_wall_ = false;
    Due due_;
};

/// FNV-1a, 64 bit: the same on every machine and release.
std::uint64_t stable_hash(std::string_view text);

}  // namespace gateway
