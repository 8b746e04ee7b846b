#include "gateway/acquire/schedule.hpp"

#include <algorithm>

namespace gateway {

using namespace std::chrono_literals;

namespace {

constexpr Duration rounding = 1ms;  // of the wall clock's readings, always downwards
constexpr Duration shortest_period = 10ms;
constexpr std::size_t most_at_an_instant = 16;

/// Whole periods in `span`, rounded down.
std::int64_t periods(Duration span, Duration period)
{
    const auto whole = span / period;
    return span % period < 0ns ? whole - 1 : whole;
}

}  // namespace

std::uint64_t stable_hash(std::string_view text)
{
    std::uint64_t hash = 0xCBF29CE484222325;
    for (const char letter : text) {
        hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001B3;
    }
    return hash;
}

Phases phases_of(std::string_view box_id, std::size_t devices)
{
    const auto wanted = (devices + most_at_an_instant - 1) / most_at_an_instant;
    const auto count = static_cast<unsigned>(std::clamp<std::size_t>(wanted, 1, Phases::most));
    return {.count = count, .first = stable_hash(box_id)};
}

Schedule::Schedule(std::span<const Point> points, std::string_view device_id, const Phases& phases)
{
    for (std::size_t row = 0; row < points.size(); ++row) {
        if (points[row].hidden) {
            continue;
        }
        const auto period = std::max<Duration>(points[row].poll, shortest_period);
        const auto same = [period](const Group& group) { return group.period == period; };
        auto group = std::find_if(groups_.begin(), groups_.end(), same);
        if (group == groups_.end()) {
            group = groups_.insert(groups_.end(), Group{.period = period, .rows = {}});
        }
        group->rows.push_back(static_cast<std::uint16_t>(row));
        ++group->slots[index_of(points[row].lane)];
    }
    const auto shorter = [](const Group& a, const Group& b) { return a.period < b.period; };
    std::sort(groups_.begin(), groups_.end(), shorter);
    shortest_ = groups_.empty() ? Duration(1min) : groups_.front().period;
    const auto spread = std::max<Duration>(std::min(shortest_, phases.window), 1ms);
    const auto first = phases.first % static_cast<std::uint64_t>(spread.count());
    const auto nth = static_cast<std::int64_t>(stable_hash(device_id) % phases.count);
    const auto apart = std::max<Duration>(spread / Phases::most, 100ms);
    phase_ = (Duration(static_cast<std::int64_t>(first)) + nth * apart) % spread;
    phase_ -= phase_ % 1ms;
}

void Schedule::follow(Instant now, const ClockReading& wall)
{
    const bool first = anchor_ == Instant::min();
    // Whole milliseconds: else the devices of one instant would lie up to one apart.
    const auto onto_wall =
        std::chrono::floor<std::chrono::milliseconds>(now - wall.wall.time_since_epoch()) + phase_;
    const bool synced = wall.state == ClockState::synced;
    if (!first && !synced) {
        return;
    }
    const auto moved = on_wall_ ? onto_wall - anchor_ : Duration::max();
    if (moved > -shortest_ / 2 && moved < shortest_ / 2) {
        if (moved < 0ns || moved > rounding) {
            move(moved);
        }
        return;
    }
    on_wall_ = synced;
    anchor_ = wall.state == ClockState::unset ? now : onto_wall;
    for (auto& group : groups_) {
        group.next = first ? now : grid_after(now, group.period);
    }
}

void Schedule::move(Duration span)
{
    anchor_ += span;
    for (auto& group : groups_) {
        group.next += span;
    }
}

Instant Schedule::grid_after(Instant time, Duration period) const
{
    return anchor_ + (periods(time - anchor_, period) + 1) * period;
}

Instant Schedule::next() const
{
    auto earliest = Instant::max();
    for (const auto& group : groups_) {
        earliest = std::min(earliest, group.next);
    }
    return earliest;
}

const Due& Schedule::take(Instant now)
{
    due_.rows.clear();
    due_.skipped = {};
    unsigned taken = 0;
    for (auto& group : groups_) {
        if (group.next > now) {
            continue;
        }
        const auto passed =
            periods(now - anchor_, group.period) - periods(group.next - anchor_, group.period);
        for (std::size_t lane = 0; lane < lane_count; ++lane) {
            due_.skipped[lane] += static_cast<std::uint64_t>(passed) * group.slots[lane];
        }
        due_.rows.insert(due_.rows.end(), group.rows.begin(), group.rows.end());
        group.next = grid_after(now, group.period);
        ++taken;
    }
    if (taken > 1) {
        std::sort(due_.rows.begin(), due_.rows.end());
    }
    return due_;
}

void Schedule::count_slots_of(std::span<const Point> points,
                              const std::function<bool(std::uint16_t row)>& exists)
{
    for (auto& group : groups_) {
        group.slots = {};
        for (const auto row : group.rows) {
            group.slots[index_of(points[row].lane)] += exists(row) ? 1U : 0U;
        }
    }
}

}  // namespace gateway
