#include "gateway/acquire/alarms.hpp"

#include "tests/unit/acquire/device.hpp"

#include <gtest/gtest.h>

using namespace gateway;
using namespace std::chrono_literals;

namespace {

struct AlarmsTest : testing::Test {
    std::optional<Alarms> alarms;
    std::vector<Reading> latest, transitions;

    void make(Point point, AlarmCondition when, AlarmCondition clear)
    {
        Profile profile;
        profile.points = {point_named("other"), std::move(point)};
        Alarm alarm;
        alarm.point = profile.points[1].id;
        alarm.when = std::move(when);
        alarm.clear = std::move(clear);
        profile.alarms = {alarm};
        alarms.emplace(device_of(std::move(profile)));
        latest.resize(2);
    }
    /// What the alarm says after this value: 1 raised, 0 cleared, nothing.
    std::optional<std::int64_t> value(std::chrono::milliseconds time, Value value,
                                      Quality quality = Quality::good)
    {
        latest[1] = {.time = at(time), .value = std::move(value), .quality = quality};
        transitions.clear();
        alarms->follow(at(time), latest, transitions);
        return transitions.empty() ? std::nullopt : std::optional(transitions[0].value.as_int64());
    }
};

constexpr std::optional<std::int64_t> nothing;

TEST_F(AlarmsTest, RaisesAndClearsAfterTheHoldTimes)
{
    make(point_named("voltage"), {.below = Fraction(105), .hold = 60s},
         {.above = Fraction(108), .hold = 30s});
    EXPECT_EQ(value(0s, Value::integer(104)), nothing);
    EXPECT_EQ(value(50s, Value::integer(104)), nothing);
    EXPECT_EQ(value(55s, Value::integer(105)), nothing) << "not below: the hold starts again";
    EXPECT_EQ(value(60s, Value::integer(104)), nothing);
    EXPECT_EQ(value(120s, Value::integer(100)), 1);
    EXPECT_EQ(transitions[0].alias, (Alias{.device = 3, .row = 0x8000}));
    EXPECT_EQ(transitions[0].time, at(120s));
    EXPECT_EQ(value(130s, Value::integer(100)), nothing);
    EXPECT_EQ(value(140s, Value::integer(109)), nothing);
    EXPECT_EQ(value(160s, Value::integer(108)), nothing) << "not above";
    EXPECT_EQ(value(170s, Value::integer(109)), nothing);
    EXPECT_EQ(value(200s, Value::integer(109)), 0);
    EXPECT_EQ(value(210s, Value::integer(109)), nothing);
}

TEST_F(AlarmsTest, NamesOfAnEnumRaiseAndOthersClear)
{
    auto status = point_named("status");
    status.names = {{3, "dry"}, {7, "ice-warning"}, {8, "ice-watch"}};
    make(status, {.in = {"ice-warning"}}, {.not_in = {"ice-warning", "ice-watch"}, .hold = 10min});
    EXPECT_EQ(value(0s, Value::integer(3)), nothing);
    EXPECT_EQ(value(60s, Value::integer(7)), 1);
    EXPECT_EQ(value(120s, Value::integer(8)), nothing);
    EXPECT_EQ(value(180s, Value::integer(3)), nothing);
    EXPECT_EQ(value(780s, Value::integer(3)), 0);
}

TEST_F(AlarmsTest, WithoutAClearConditionItClearsWhenItNoLongerHolds)
{
    make(point_named("level"), {.above = Fraction(10)}, {});
    EXPECT_EQ(value(0s, Value::float64(10.1)), 1);
    EXPECT_EQ(value(1s, Value::float64(10.0)), 0);
}

TEST_F(AlarmsTest, LimitsAreInTheUnitOfThePoint)
{
    auto point = point_named("temperature");
    point.scale.times = *Fraction::parse("0.1");
    make(point, {.above = Fraction(30)}, {});
    EXPECT_EQ(value(0s, Value::integer(300)), nothing);
    EXPECT_EQ(value(1s, Value::integer(301)), 1);
}

TEST_F(AlarmsTest, AReadingWithoutAValueChangesNothingAndASuspectOneIsTold)
{
    make(point_named("level"), {.above = Fraction(10), .hold = 20s}, {});
    EXPECT_EQ(value(0s, Value::integer(11)), nothing);
    EXPECT_EQ(value(10s, Value(), Quality::comm_error), nothing);
    EXPECT_EQ(value(20s, Value::integer(11), Quality::suspect), 1);
    EXPECT_EQ(transitions[0].quality, Quality::suspect);
    latest[1].time = at(20s);
    transitions.clear();
    alarms->follow(at(30s), latest, transitions);
    EXPECT_TRUE(transitions.empty()) << "a poll without the point";
}

}  // namespace
