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

/// Where in their period the devices of one box are read: at instants that several share, so that
/// the processor wakes once for them. Waking is a large part of what a read costs.
struct Phases {
    static constexpr unsigned most = 10;

    Duration window = std::chrono::seconds(10);  ///< they lie in it, and in one period
    unsigned count = most;                       ///< 1 to most; 0.1 s or more apart
    std::uint64_t first = 0;  ///< by the id of the box: the boxes of a fleet do not begin together
};

/// The fewest instants that leave no crowd at any: one for up to 16 devices.
Phases phases_of(std::string_view box_id, std::size_t devices);

/// When the points of one device are due: the first poll at once, then a grid of whole periods.
/// While the wall clock is synced, or known when it begins, the grid stands at multiples of the
/// period in Unix time plus its phase, else at multiples from the first poll.
/// Slots that pass unread are skipped, never made up.
class Schedule {
public:
    /// The phase is chosen by a hash of the device's id.
    Schedule(std::span<const Point> points, std::string_view device_id, const Phases& phases);

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
