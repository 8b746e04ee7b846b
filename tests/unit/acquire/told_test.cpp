// Values that other values of the device explain: units, factors, status, age, fallbacks.
#include "gateway/acquire/due_rows.hpp"
#include "gateway/acquire/normalise.hpp"
#include "gateway/core/fraction.hpp"
#include "tests/unit/acquire/device.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace gateway::told_test {

using namespace std::chrono_literals;

namespace {

Conversion conversion(std::string_view times, std::string_view plus = "0")
{
    return {.times = *Fraction::parse(times), .plus = *Fraction::parse(plus)};
}

/// What people see of a number of a point with this scale whose unit is told by a code.
std::string seen(const ToldNumber& told, const Point& point, const Value& raw, const Value& code)
{
    const auto value = told.bring(raw, &code, nullptr);
    const auto decimal =
        value ? apply(*value, point.scale.times, point.offset.times) : std::nullopt;
    return decimal ? decimal->text : "none";
}

Point flow_point()
{
    auto point = point_named("flow");
    point.scale.times = *Fraction::parse("0.1");
    point.unit_from = UnitFrom{.point = "unit",
                               .codes = {{Value::integer(0), conversion("1")},
                                         {Value::integer(1), conversion("3.6")},
                                         {Value::integer(2), conversion("0.06")},
                                         {Value::integer(3), conversion("5/9", "-160/9")}}};
    return point;
}

TEST(ToldNumber, IsBroughtToTheFixedUnitExactly)
{
    const auto point = flow_point();
    const ToldNumber told(point, point.scale.times, point.offset.times);
    EXPECT_EQ(seen(told, point, Value::integer(125), Value::integer(0)), "12.5");
    EXPECT_EQ(seen(told, point, Value::integer(125), Value::integer(1)), "45");
    EXPECT_EQ(seen(told, point, Value::integer(125), Value::integer(2)), "0.75");
    EXPECT_EQ(seen(told, point, Value::integer(680), Value::integer(3)), "20");
    EXPECT_EQ(seen(told, point, Value::integer(125), Value::integer(9)), "none");
    EXPECT_EQ(seen(told, point, Value::float32(0.1F), Value::integer(1)), "0.036");
    EXPECT_EQ(seen(told, point, Value::integer(125), Value::of_text("0")), "none");
}

TEST(ToldNumber, WhatNeedsNoChangeStaysAsItWasRead)
{
    const auto point = flow_point();
    const ToldNumber told(point, point.scale.times, point.offset.times);
    const auto code = Value::integer(0);
    EXPECT_EQ(told.bring(Value::float32(230.4F), &code, nullptr), Value::float32(230.4F));
    EXPECT_TRUE(std::isnan(told.bring(Value::float32(NAN), &code, nullptr)->as_float32()));
}

TEST(ToldNumber, TheOffsetOfThePointIsOneOfTheToldUnit)
{
    auto point = flow_point();
    point.offset.times = Fraction(-40);  // raw 0 is -40 degrees of the display
    const ToldNumber told(point, point.scale.times, point.offset.times);
    EXPECT_EQ(seen(told, point, Value::integer(0), Value::integer(3)), "-40");
    EXPECT_EQ(seen(told, point, Value::integer(720), Value::integer(3)), "0");
}

TEST(ToldNumber, AFactorIsACodeAPowerOfTenOrTheNumberItself)
{
    auto point = point_named("energy");
    const auto brought = [&point](const Value& raw, const Value& factor) {
        const ToldNumber told(point, Fraction(1), Fraction(0));
        return told.bring(raw, nullptr, &factor).value_or(Value::of_text("none"));
    };
    const auto none = Value::of_text("none");
    point.scale_from = ScaleFrom{.point = "f", .codes = {}, .power_of_ten = true};
    EXPECT_EQ(brought(Value::integer(2304), Value::integer(-1)), Value::float64(230.4));
    EXPECT_EQ(brought(Value::integer(2304), Value::integer(3)), Value::integer(2'304'000));
    EXPECT_EQ(brought(Value::integer(2304), Value::integer(-32768)), none) << "not implemented";
    point.scale_from = ScaleFrom{.point = "f", .codes = {}, .times = *Fraction::parse("0.1")};
    EXPECT_EQ(brought(Value::integer(25), Value::integer(40)), Value::integer(100));
    EXPECT_EQ(brought(Value::integer(25), Value::float32(0.4F)), Value::integer(1));
    EXPECT_EQ(brought(Value::integer(25), Value::integer(0)), none);
    point.scale_from = ScaleFrom{.point = "f", .codes = {{Value::of_text("k"), Fraction(1000)}}};
    EXPECT_EQ(brought(Value::integer(25), Value::of_text("k")), Value::integer(25'000));
    EXPECT_EQ(brought(Value::integer(25), Value::of_text("M")), none);
    EXPECT_EQ(brought(Value::unsigned_integer(~0ULL), Value::of_text("k")).kind(), Kind::float64);
}

/// A device whose points are all due in each call.
struct Device {
    explicit Device(Profile profile) : normaliser(normaliser_of(std::move(profile))) {}

    const Reading& operator()(Samples samples, std::chrono::milliseconds time = 0s,
                              std::optional<std::chrono::milliseconds> wall = std::nullopt)
    {
        std::vector<std::uint16_t> due(normaliser.latest().size());
        std::iota(due.begin(), due.end(), std::uint16_t{0});
        normaliser.judge(samples, due, at(time), Cause::none, wall);
        return normaliser.latest()[0];
    }
    Normaliser normaliser;
};

Profile profile_of(std::vector<Point> points)
{
    Profile profile;
    profile.points = std::move(points);
    return profile;
}

void expect(const Reading& reading, Quality quality, Cause cause)
{
    EXPECT_EQ(reading.quality, quality) << to_string(reading.quality);
    EXPECT_EQ(reading.cause, cause) << to_string(reading.cause);
}

TEST(Told, TheRulesOfAPointAreThoseOfItsFixedUnit)
{
    auto flow = flow_point();
    flow.valid_high = Fraction(40);
    flow.missing = {Value::integer(65535)};
    Device device(profile_of({flow, point_named("unit")}));
    expect(device({sample(0, Value::integer(125)), sample(1, Value::integer(0))}), Quality::good,
           Cause::none);
    expect(device({sample(0, Value::integer(125)), sample(1, Value::integer(1))}), Quality::suspect,
           Cause::out_of_range);
    expect(device({sample(0, Value::integer(65535)), sample(1, Value::integer(9))}),
           Quality::missing, Cause::sentinel);
}

TEST(Told, ANumberWhoseUnitIsNotKnownIsNotKept)
{
    Device device(profile_of({flow_point(), point_named("unit")}));
    const auto& unknown = device({sample(0, Value::integer(125)), sample(1, Value::integer(7))});
    expect(unknown, Quality::bad, Cause::dependency);
    EXPECT_TRUE(unknown.value.is_none());
    const auto& silent = device({sample(0, Value::integer(125)), failure(1, Cause::timeout)});
    expect(silent, Quality::comm_error, Cause::timeout);
    EXPECT_TRUE(silent.value.is_none());
}

TEST(Told, AChangeOfTheUnitIsNoJumpAndNoReset)
{
    auto volume = flow_point();
    volume.counter = Counter{.wrap = 65536};
    volume.rate_per_second = Fraction(1);
    Device device(profile_of({volume, point_named("unit")}));
    device({sample(0, Value::integer(36'000)), sample(1, Value::integer(0))}, 0s);
    expect(device({sample(0, Value::integer(10'000)), sample(1, Value::integer(1))}, 10s),
           Quality::good, Cause::none);
    EXPECT_TRUE(device.normaliser.counter_resets().empty());
    device({sample(0, Value::integer(65'530)), sample(1, Value::integer(2))}, 100'000s);
    device({sample(0, Value::integer(4)), sample(1, Value::integer(2))}, 100'010s);
    EXPECT_EQ(device.normaliser.counter_resets().size(), 0U) << "it wraps in its own steps";
}

Profile with_status(StatusRule rule)
{
    auto profile = profile_of({point_named("level"), point_named("status"), point_named("other")});
    rule.point = "status";
    profile.status = {std::move(rule)};
    return profile;
}

TEST(Status, ABitOrACodeMakesNamedPointsBadOrSuspect)
{
    StatusRule rule{.points = {"level"}};
    rule.bits = {{0, Quality::bad}, {4, Quality::suspect}};
    rule.codes = {{Value::integer(8), Value::integer(8), Quality::suspect}};
    Device device(with_status(rule));
    const auto judge = [&](int status) {
        return device({sample(0, Value::integer(5)), sample(1, Value::integer(status)),
                       sample(2, Value::integer(6))});
    };
    expect(judge(0), Quality::good, Cause::none);
    expect(judge(1), Quality::bad, Cause::device_status);
    EXPECT_EQ(device.normaliser.latest()[0].value, Value::integer(5)) << "the value is kept";
    EXPECT_EQ(device.normaliser.latest()[2].quality, Quality::good) << "not named";
    EXPECT_EQ(device.normaliser.latest()[1].quality, Quality::good);
    expect(judge(8), Quality::suspect, Cause::device_status);
    expect(judge(16), Quality::suspect, Cause::device_status);
    expect(judge(17), Quality::bad, Cause::device_status);
    expect(judge(2), Quality::good, Cause::none);
}

TEST(Status, ACodeThatIsNotListedIsWhatOtherwiseSays)
{
    StatusRule rule{.otherwise = Quality::bad};
    rule.codes = {{Value::integer(128), Value::integer(255), Quality::good},
                  {Value::integer(64), Value::integer(127), Quality::suspect}};
    Device device(with_status(rule));
    const auto judge = [&](int status) {
        return device({sample(0, Value::integer(5)), sample(1, Value::integer(status))});
    };
    expect(judge(200), Quality::good, Cause::none);
    expect(judge(64), Quality::suspect, Cause::device_status);
    expect(judge(63), Quality::bad, Cause::device_status);
}

TEST(Status, WithoutAStatusNothingIsGood)
{
    Device device(with_status({.bits = {{0, Quality::bad}}}));
    expect(device({sample(0, Value::integer(5)), failure(1, Cause::timeout)}), Quality::suspect,
           Cause::dependency);
    expect(device({failure(0, Cause::crc), failure(1, Cause::timeout)}), Quality::comm_error,
           Cause::crc);
}

TEST(Status, ATextIsACodeToo)
{
    StatusRule rule{.otherwise = Quality::suspect};
    rule.codes = {{Value::of_text("OK"), Value::of_text("OK"), Quality::good}};
    Device device(with_status(rule));
    expect(device({sample(0, Value::integer(5)), sample(1, Value::of_text("OK"))}), Quality::good,
           Cause::none);
    expect(device({sample(0, Value::integer(5)), sample(1, Value::of_text("E7"))}),
           Quality::suspect, Cause::device_status);
}

TEST(Age, AValueTheDeviceTookLongAgoIsStale)
{
    auto profile = profile_of({point_named("level"), point_named("taken")});
    profile.ages = {AgeRule{
        .point = "taken", .points = {"level"}, .is = AgeRule::Is::unix_seconds, .stale = 10min}};
    Device device(profile);
    constexpr std::chrono::milliseconds wall = 1'700'000'000s;
    const auto judge = [&](int taken, std::optional<std::chrono::milliseconds> offset) {
        return device({sample(0, Value::integer(5)), sample(1, Value::integer(taken))}, 0s, offset);
    };
    expect(judge(1'699'999'400, wall), Quality::good, Cause::none);
    EXPECT_EQ(device.normaliser.latest()[0].device_time, WallTime(1'699'999'400s));
    expect(judge(1'699'999'399, wall), Quality::stale, Cause::late);
    EXPECT_EQ(device.normaliser.latest()[0].value, Value::integer(5));
    expect(judge(1'700'000'601, wall), Quality::suspect, Cause::clock);
    expect(judge(1, std::nullopt), Quality::good, Cause::none);
}

TEST(Age, SecondsAgoNeedNoClock)
{
    auto profile = profile_of({point_named("level"), point_named("age")});
    profile.ages = {
        AgeRule{.point = "age", .points = {}, .is = AgeRule::Is::seconds_ago, .stale = 60s}};
    Device device(profile);
    expect(device({sample(0, Value::integer(5)), sample(1, Value::integer(60))}), Quality::good,
           Cause::none);
    expect(device({sample(0, Value::integer(5)), sample(1, Value::integer(61))}), Quality::stale,
           Cause::late);
    EXPECT_FALSE(device.normaliser.latest()[0].device_time);
}

TEST(Age, ATimeThatCameWithTheValueIsJudgedByTheTransport)
{
    auto profile = profile_of({point_named("level")});
    profile.transport["age"] = {
        .value = SettingTable{{"stale", {.value = std::string("10m"), .place = {}}}}, .place = {}};
    Device device(profile);
    auto old = sample(0, Value::integer(5));
    old.device_time = WallTime(0s);
    expect(device({old}, 0s, 601s), Quality::stale, Cause::late);
    expect(device({old}, 0s, 600s), Quality::good, Cause::none);
    expect(device({old}), Quality::good, Cause::none);  // without a clock nobody can tell
}

TEST(Fallback, StandsInWhereTheDeviceDoesNotHaveTheFirst)
{
    auto level = point_named("level");
    level.fallback = "old";
    level.missing = {Value::integer(65535)};
    Device device(profile_of({level, point_named("old")}));
    EXPECT_EQ(device({sample(0, Value::integer(7)), sample(1, Value::integer(9))}).value,
              Value::integer(7));
    EXPECT_EQ(device({failure(0, exception_cause(2)), sample(1, Value::integer(9))}).value,
              Value::integer(9));
    EXPECT_EQ(device({sample(0, Value::integer(65535)), sample(1, Value::integer(9))}).quality,
              Quality::good);
    expect(device({failure(0, exception_cause(2)), failure(1, exception_cause(2))}),
           Quality::comm_error, exception_cause(2));
}

TEST(S17, EachSampleOfADeviceThatKeepsThemIsARecordWithItsOwnTime)
{
    Device device(profile_of({point_named("level")}));
    Samples samples;
    for (int i = 0; i < 100; ++i) {
        samples.push_back(sample(0, Value::integer(i)));
        samples.back().device_time = WallTime(std::chrono::seconds(i));
    }
    const std::vector<std::uint16_t> due{0};
    int seen = 0;
    do {
        ASSERT_EQ(device.normaliser.judge(samples, due, at(0s), Cause::none).size(), 1U);
        EXPECT_EQ(device.normaliser.latest()[0].value, Value::integer(seen));
        EXPECT_EQ(device.normaliser.latest()[0].device_time, WallTime(std::chrono::seconds(seen)));
        ++seen;
    } while (!samples.empty());
    EXPECT_EQ(seen, 100);
}

std::vector<std::uint16_t> list(PointSet rows)
{
    return {rows.begin(), rows.end()};
}

TEST(DueRows, WhatSaysSomethingOfAPointIsReadWithIt)
{
    auto profile = profile_of({flow_point(), point_named("other"), point_named("word"),
                               point_named("unit"), point_named("spare")});
    profile.points[3].hidden = profile.points[4].hidden = true;
    profile.points[1].fallback = "spare";
    profile.status = {StatusRule{.point = "word", .points = {}}};
    DueRows rows(profile);
    const std::vector<std::uint16_t> flow{0};
    const std::vector<std::uint16_t> word{2};
    EXPECT_EQ(list(rows.with_companions(flow)), (std::vector<std::uint16_t>{0, 2, 3}));
    EXPECT_EQ(list(rows.with_companions(word)), word);
    const std::vector<std::uint16_t> both{0, 1};
    EXPECT_EQ(list(rows.with_companions(both)), (std::vector<std::uint16_t>{0, 1, 2, 3, 4}));
}

TEST(DueRows, ARowThatTheDeviceDoesNotHaveIsNotAskedFor)
{
    auto profile = profile_of(
        {point_named("a[1]"), point_named("a[2]"), point_named("b"), point_named("a.count")});
    for (std::uint16_t i = 0; i < 2; ++i) {
        profile.points[i].row =
            PointRow{.of = "a", .number = static_cast<std::uint16_t>(i + 1), .count = "a.count"};
    }
    DueRows rows(profile);
    const std::vector<std::uint16_t> due{0, 1, 2};
    EXPECT_EQ(list(rows.unknown_counts()), (std::vector<std::uint16_t>{3}));
    EXPECT_EQ(list(rows.existing(due)), (std::vector<std::uint16_t>{2}));
    EXPECT_TRUE(rows.is_unknown(0));
    EXPECT_FALSE(rows.learn(3, 1)) << "the first time is no change";
    EXPECT_EQ(list(rows.existing(due)), (std::vector<std::uint16_t>{0, 2}));
    EXPECT_FALSE(rows.is_unknown(1));
    EXPECT_FALSE(rows.learn(3, -1)) << "not told this time";
    EXPECT_TRUE(rows.exists(0));
    EXPECT_TRUE(rows.learn(3, 2));
    EXPECT_EQ(list(rows.existing(due)), due);
    rows.forget_counts();
    EXPECT_FALSE(rows.exists(0));
}

}  // namespace

}  // namespace gateway::told_test
