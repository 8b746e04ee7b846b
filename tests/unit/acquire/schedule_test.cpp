#include "gateway/acquire/schedule.hpp"

#include "tests/unit/acquire/device.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

using namespace gateway;
using namespace std::chrono_literals;

namespace {

constexpr Instant start{1000s};
const ClockReading unset{};

ClockReading synced(Instant now, std::chrono::milliseconds offset)
{
    const auto boot = std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch());
    return {.wall = WallTime(boot + offset), .state = ClockState::synced, .error_ms = 1};
}

std::uint64_t skipped(const Due& due)
{
    return due.skipped[index_of(Lane::telemetry)];
}

TEST(Schedule, TheFirstPollIsAtOnceAndThenOnTheGridOfIt)
{
    const std::vector points{point_named("a", 10s)};
    Schedule schedule(points, "meter", {10s});
    schedule.follow(start, unset);
    EXPECT_EQ(schedule.next(), start);
    EXPECT_EQ(schedule.take(start).rows, std::vector<std::uint16_t>{0});
    EXPECT_EQ(schedule.next(), start + 10s);
    EXPECT_EQ(schedule.take(start + 10s + 300ms).rows.size(), 1U);
    EXPECT_EQ(schedule.next(), start + 20s) << "a late read does not move the grid";
}

TEST(Schedule, PassedPeriodsAreSkippedAndCountedNotMadeUp)
{
    const std::vector points{point_named("a", 10s), point_named("b", 10s)};
    Schedule schedule(points, "meter", {10s});
    schedule.follow(start, unset);
    EXPECT_EQ(skipped(schedule.take(start)), 0U);
    const auto& due = schedule.take(start + 45s);
    EXPECT_EQ(due.rows.size(), 2U);
    EXPECT_EQ(skipped(due), 6U) << "at 10, 20 and 30 s, two points each; 40 s is read now";
    EXPECT_EQ(schedule.next(), start + 50s);
}

TEST(Schedule, PointsOfSeveralPeriodsMeetAtCommonInstants)
{
    const std::vector points{point_named("slow", 60s), point_named("fast", 10s),
                             point_named("slow2", 60s)};
    Schedule schedule(points, "meter", {10s});
    schedule.follow(start, unset);
    EXPECT_EQ(schedule.take(start).rows, (std::vector<std::uint16_t>{0, 1, 2}));
    for (int i = 1; i < 6; ++i) {
        EXPECT_EQ(schedule.take(schedule.next()).rows, (std::vector<std::uint16_t>{1}));
    }
    EXPECT_EQ(schedule.next(), start + 60s);
    EXPECT_EQ(schedule.take(schedule.next()).rows, (std::vector<std::uint16_t>{0, 1, 2}));
}

TEST(Schedule, ASyncedGridStandsAtWallMultiplesPlusTheDevicesPhase)
{
    const std::vector points{point_named("a", 60s)};
    std::vector<Duration> phases;
    for (const auto* id : {"meter-1", "meter-2", "meter-3"}) {
        Schedule schedule(points, id, {10s});
        schedule.follow(start, synced(start, 1'700'000'000'123ms));
        schedule.take(start);
        const auto wall = schedule.next().time_since_epoch() + 1'700'000'000'123ms;
        phases.push_back(wall % 60s);
        EXPECT_LT(phases.back(), 10s);
    }
    EXPECT_NE(phases[0], phases[1]);
    EXPECT_NE(phases[1], phases[2]);
}

/// Where the grid of a device stands in its period.
Duration phase_of(const std::string& device, Duration period, const Phases& phases)
{
    Schedule schedule(std::vector{point_named("a", period)}, device, phases);
    schedule.follow(start, synced(start, 0s));
    schedule.take(start);
    return schedule.next().time_since_epoch() % period;
}

TEST(Schedule, DevicesShareAFewInstantsOfAPeriod)
{
    const auto instants = [](Duration period) {
        std::set<Duration> seen;
        for (int device = 0; device < 1000; ++device) {
            seen.insert(phase_of(std::to_string(device), period, {10s}));
        }
        return seen;
    };
    EXPECT_EQ(instants(100ms), std::set<Duration>{0s});
    EXPECT_EQ(instants(300ms), (std::set<Duration>{0s, 100ms, 200ms}));
    const auto of_a_second = instants(1s);
    EXPECT_EQ(of_a_second.size(), 10U);
    EXPECT_TRUE(of_a_second.contains(900ms));
    const auto of_a_minute = instants(60s);
    EXPECT_EQ(of_a_minute.size(), 10U) << "spread over the window";
    EXPECT_TRUE(of_a_minute.contains(9s));
}

TEST(Schedule, AFewDevicesAreReadAtOneInstantAndManyAtTen)
{
    const auto instants = [](std::size_t devices) {
        std::set<Duration> seen;
        for (std::size_t device = 0; device < devices; ++device) {
            seen.insert(phase_of(std::to_string(device), 1s, phases_of("box-1", devices)));
        }
        return seen.size();
    };
    EXPECT_EQ(phases_of("box-1", 0).count, 1U);
    EXPECT_EQ(instants(16), 1U);
    EXPECT_EQ(instants(40), 3U);
    EXPECT_EQ(instants(1000), 10U);
}

TEST(Schedule, EveryBoxHasAnInstantOfItsOwn)
{
    std::set<Duration> seen;
    for (int box = 0; box < 100; ++box) {
        seen.insert(phase_of("meter", 10s, phases_of("box-" + std::to_string(box), 1)));
    }
    EXPECT_GT(seen.size(), 50U);
    EXPECT_LT(*seen.rbegin(), 10s);
}

TEST(Schedule, DevicesOfDifferentPeriodsMeet)
{
    const auto phases = phases_of("box-1", 10);
    EXPECT_EQ(phase_of("fast", 1s, phases), phase_of("slow", 10s, phases) % 1s);
}

TEST(Schedule, DevicesThatFollowTheClockAtDifferentTimesMeetToTheMillisecond)
{
    const auto begun_at = [](Instant now) {
        Schedule schedule(std::vector{point_named("a", 1s)}, "meter", {});
        schedule.follow(now, synced(now, 123ms));
        schedule.take(now);
        schedule.follow(start + 500ms, synced(start + 500ms, 123ms));
        return schedule.next();
    };
    EXPECT_EQ(begun_at(start), begun_at(start + 437us));
    EXPECT_EQ(begun_at(start), begun_at(start + 1'999us));
}

TEST(Schedule, ASlewedClockTakesTheSlotsAlong)
{
    const std::vector points{point_named("a", 10s)};
    Schedule schedule(points, "meter", {0s});
    schedule.follow(start, synced(start, 0s));
    schedule.take(start);
    EXPECT_EQ(schedule.next(), start + 10s);
    schedule.take(start + 10s);
    schedule.follow(start + 10s + 1ms, synced(start + 10s + 1ms, -30ms));
    EXPECT_EQ(schedule.next(), start + 20s + 30ms) << "the slot that was read is not read again";
    schedule.follow(start + 11s, synced(start + 11s, 40ms));
    EXPECT_EQ(schedule.next(), start + 20s - 40ms);
    EXPECT_EQ(skipped(schedule.take(start + 20s)), 0U);
    EXPECT_EQ(schedule.next(), start + 30s - 40ms);
}

TEST(Schedule, AGridThatBeginsWithAClockInHoldoverIsSpreadToo)
{
    const std::vector points{point_named("a", 60s)};
    auto wall = synced(start, 1'700'000'000'123ms);
    Schedule on_synced(points, "meter-1", {10s});
    on_synced.follow(start, wall);
    on_synced.take(start);
    wall.state = ClockState::holdover;
    Schedule on_holdover(points, "meter-1", {10s});
    on_holdover.follow(start, wall);
    EXPECT_EQ(on_holdover.next(), start);
    on_holdover.take(start);
    EXPECT_EQ(on_holdover.next(), on_synced.next());
}

TEST(Schedule, MovesOntoTheWallClockOnceItIsSyncedAndStaysThere)
{
    const std::vector points{point_named("a", 10s)};
    Schedule schedule(points, "meter", {0s});
    schedule.follow(start, unset);
    schedule.take(start);
    schedule.follow(start + 1s, synced(start + 1s, 3s));
    EXPECT_EQ(schedule.next(), start + 7s);  // wall 1,010 s
    schedule.take(schedule.next());
    schedule.follow(start + 8s, synced(start + 8s, 2999ms));
    EXPECT_EQ(schedule.next(), start + 17s) << "rounding of the readings does not move it";
    schedule.follow(start + 9s, synced(start + 9s, 24s));
    EXPECT_EQ(schedule.next(), start + 16s) << "a long step does";
    schedule.follow(start + 9s, synced(start + 9s, 5s));
    EXPECT_EQ(schedule.next(), start + 15s) << "a step does";
    auto holdover = synced(start + 10s, 8s);
    holdover.state = ClockState::holdover;
    schedule.follow(start + 10s, holdover);
    EXPECT_EQ(schedule.next(), start + 15s) << "a clock that is not synced does not";
}

TEST(Schedule, CountsSkippedSlotsInTheLaneOfThePoint)
{
    std::vector points{point_named("a", 10s), point_named("b", 10s), point_named("c", 20s)};
    points[1].lane = Lane::billing;
    points[2].lane = Lane::billing;
    Schedule schedule(points, "meter", {10s});
    schedule.follow(start, unset);
    schedule.take(start);
    const auto& due = schedule.take(start + 60s);
    EXPECT_EQ(due.skipped[index_of(Lane::telemetry)], 5U);
    EXPECT_EQ(due.skipped[index_of(Lane::billing)], 5U + 2U);
}

TEST(Schedule, ADeviceWithoutPointsIsNeverDue)
{
    Schedule schedule({}, "meter", {10s});
    schedule.follow(start, unset);
    EXPECT_EQ(schedule.next(), Instant::max());
}

}  // namespace
