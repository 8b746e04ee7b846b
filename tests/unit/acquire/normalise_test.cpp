#include "gateway/acquire/normalise.hpp"

#include "tests/unit/acquire/device.hpp"

#include <gtest/gtest.h>

#include <cmath>

using namespace gateway;
using namespace std::chrono_literals;

namespace {

/// A point with one rule, fed with values at given seconds.
struct Rules {
    explicit Rules(const Point& point) : rule(point, point.scale.times, point.offset.times) {}
    Judgement operator()(Value raw, std::chrono::milliseconds time = 0s)
    {
        return rule.judge(raw, at(time), &history);
    }
    PointRule rule;
    PointHistory history;
};

void expect(const Judgement& judgement, Quality quality, Cause cause)
{
    EXPECT_EQ(judgement.quality, quality) << to_string(judgement.quality);
    EXPECT_EQ(judgement.cause, cause) << to_string(judgement.cause);
}

TEST(PointRule, NumbersThatAreNoneAreBad)
{
    Rules rules(point_named("a"));
    expect(rules(Value::float32(NAN)), Quality::bad, Cause::not_a_number);
    expect(rules(Value::float64(INFINITY)), Quality::bad, Cause::not_a_number);
    expect(rules(Value::float32(1)), Quality::good, Cause::none);
}

TEST(PointRule, ASentinelIsMissingWhateverKindItComesIn)
{
    auto point = point_named("a");
    point.missing = {Value::integer(1001), Value::float64(-999.9), Value::of_text("--")};
    point.valid_high = Fraction(60);
    Rules rules(point);
    for (const auto& raw : {Value::integer(1001), Value::float32(1001), Value::float32(-999.9F),
                            Value::float64(-999.9), Value::of_text("--")}) {
        expect(rules(raw), Quality::missing, Cause::sentinel);
    }
    expect(rules(Value::integer(1002)), Quality::suspect, Cause::out_of_range);
    expect(rules(Value::of_text("1001")), Quality::good, Cause::none);
}

TEST(PointRule, SixtyFourBitSentinelsAreExact)
{
    auto point = point_named("a");
    point.missing = {Value::unsigned_integer(~0ULL)};
    Rules rules(point);
    expect(rules(Value::unsigned_integer(~0ULL)), Quality::missing, Cause::sentinel);
    expect(rules(Value::unsigned_integer(~0ULL - 1)), Quality::good, Cause::none);
}

TEST(PointRule, NanIsMissingWhereTheProfileSaysSo)
{
    auto point = point_named("a");
    point.missing_nan = true;
    Rules rules(point);
    expect(rules(Value::float32(NAN)), Quality::missing, Cause::sentinel);
    expect(rules(Value::float32(INFINITY)), Quality::bad, Cause::not_a_number);
}

TEST(PointRule, EnumMembers)
{
    auto point = point_named("a");
    point.names = {{1, "other"}, {2, "error"}, {3, "dry"}};
    point.bad_names = {"error"};
    Rules rules(point);
    expect(rules(Value::integer(3)), Quality::good, Cause::none);
    expect(rules(Value::integer(2)), Quality::bad, Cause::bad_enum);
    expect(rules(Value::integer(4)), Quality::suspect, Cause::bad_enum);
}

TEST(PointRule, AJumpIsSuspectAndTheReturnIsNot)
{
    auto point = point_named("a");
    point.rate_per_second = Fraction(2);
    point.scale.times = *Fraction::parse("0.1");
    Rules rules(point);
    expect(rules(Value::integer(100), 0s), Quality::good, Cause::none);
    expect(rules(Value::integer(120), 1s), Quality::good, Cause::none);
    expect(rules(Value::integer(9000), 2s), Quality::suspect, Cause::rate);
    expect(rules(Value::integer(121), 3s), Quality::good, Cause::none);
    expect(rules(Value::integer(221), 4s), Quality::suspect, Cause::rate);
    // A real step is believed once there was time for it.
    expect(rules(Value::integer(221), 9s), Quality::good, Cause::none);
}

TEST(PointRule, AValueThatStaysTheSameForTooLongIsStuck)
{
    auto point = point_named("a");
    point.stuck = 60s;
    Rules rules(point);
    rules(Value::integer(5), 0s);
    expect(rules(Value::integer(5), 60s), Quality::good, Cause::none);
    expect(rules(Value::integer(5), 61s), Quality::suspect, Cause::stuck);
    expect(rules(Value::integer(6), 62s), Quality::good, Cause::none);
}

TEST(PointRule, ACounterThatGoesBackIsAResetUnlessItWrapped)
{
    auto point = point_named("a");
    point.counter = Counter{.wrap = 65536};
    Rules rules(point);
    rules(Value::integer(65500));
    EXPECT_FALSE(rules(Value::integer(20)).counter_reset) << "over the top";
    EXPECT_FALSE(rules(Value::integer(60000)).counter_reset);
    EXPECT_TRUE(rules(Value::integer(40000)).counter_reset);
    point.counter = Counter{};
    Rules never_wraps(point);
    never_wraps(Value::integer(65500));
    const auto judgement = never_wraps(Value::integer(20));
    EXPECT_TRUE(judgement.counter_reset);
    expect(judgement, Quality::good, Cause::none);
}

TEST(PointRule, TheRateOfACounterIsTakenOverTheWrap)
{
    auto point = point_named("a");
    point.counter = Counter{.wrap = 65536};
    point.rate_per_second = Fraction(100);
    Rules rules(point);
    rules(Value::integer(65500), 0s);
    expect(rules(Value::integer(20), 1s), Quality::good, Cause::none);
    expect(rules(Value::integer(20000), 2s), Quality::suspect, Cause::rate);
}

struct Device {
    explicit Device(Profile profile) : normaliser(normaliser_of(std::move(profile))) {}

    std::vector<Reading> operator()(Samples samples, Cause whole = Cause::none,
                                    std::chrono::milliseconds time = 0s)
    {
        std::vector<std::uint16_t> due(normaliser.latest().size());
        for (std::size_t row = 0; row < due.size(); ++row) {
            due[row] = static_cast<std::uint16_t>(row);
        }
        std::vector<Reading> readings;
        for (const auto row : normaliser.judge(samples, due, at(time), whole)) {
            readings.push_back(normaliser.latest()[row]);
        }
        return readings;
    }
    Normaliser normaliser;
};

void expect(const Reading& reading, Quality quality, Cause cause)
{
    EXPECT_EQ(reading.quality, quality) << to_string(reading.quality);
    EXPECT_EQ(reading.cause, cause) << to_string(reading.cause);
}

Profile profile_of(std::vector<Point> points)
{
    Profile profile;
    profile.points = std::move(points);
    return profile;
}

TEST(Normaliser, KeepsTheRawValueTheTimeAndTheDevicesOwnTime)
{
    Device device(profile_of({point_named("a")}));
    auto given = sample(0, Value::float32(230.4F));
    given.device_time = WallTime(5s);
    const auto readings = device({given}, Cause::none, 1234ms);
    ASSERT_EQ(readings.size(), 1U);
    EXPECT_EQ(readings[0], (Reading{.alias = {.device = 3, .row = 0},
                                    .time = at(1234ms),
                                    .value = Value::float32(230.4F),
                                    .device_time = WallTime(5s)}));
}

TEST(Normaliser, AFailedPointKeepsTheOthersGood)
{
    Device device(profile_of({point_named("a"), point_named("b"), point_named("c")}));
    const auto readings = device({sample(0, Value::integer(1)), failure(1, exception_cause(2)),
                                  sample(2, Value::integer(3))});
    expect(readings[0], Quality::good, Cause::none);
    expect(readings[1], Quality::comm_error, exception_cause(2));
    EXPECT_TRUE(readings[1].value.is_none());
    expect(readings[2], Quality::good, Cause::none);
}

TEST(Normaliser, PassesOverRowsThatAreNotDueOrComeTwice)
{
    Device device(profile_of({point_named("a"), point_named("b")}));
    Samples samples{sample(0, Value::integer(1)), sample(0, Value::integer(2)),
                    sample(7, Value::integer(9)), sample(1, Value::integer(3))};
    const std::vector<std::uint16_t> due{0};
    const auto rows = device.normaliser.judge(samples, due, at(0ms), Cause::none);
    EXPECT_EQ(std::vector(rows.begin(), rows.end()), due);
    EXPECT_EQ(device.normaliser.latest()[0].value, Value::integer(1));
    EXPECT_EQ(device.normaliser.latest()[1].time, Normaliser::never);
}

TEST(Normaliser, APointThatDependsOnAStatusIsSuspectWhileTheStatusIsNotGood)
{
    auto temperature = point_named("temperature");
    temperature.good_if = GoodIf{.point = "error", .in = {"none"}};
    auto error = point_named("error");
    error.names = {{2, "none"}, {4, "cut-cable"}};
    Device device(profile_of({temperature, error}));
    const auto judge = [&](Sample status) {
        return device({sample(0, Value::integer(20)), std::move(status)})[0];
    };
    expect(judge(sample(1, Value::integer(2))), Quality::good, Cause::none);
    expect(judge(sample(1, Value::integer(4))), Quality::suspect, Cause::dependency);
    expect(judge(failure(1, Cause::timeout)), Quality::suspect, Cause::dependency);
}

TEST(Normaliser, PointsThatDisagreeAreSuspect)
{
    auto profile = profile_of({point_named("a"), point_named("b")});
    profile.checks = {Check{
        .id = "agree", .points = {"a", "b"}, .absolute = 5, .relative = *Fraction::parse("7/10")}};
    Device device(profile);
    const auto judge = [&](int a, int b) {
        return device({sample(0, Value::integer(a)), sample(1, Value::integer(b))});
    };
    for (const auto& agreeing : {std::pair(1, 5), std::pair(10, 15), std::pair(100, 150)}) {
        expect(judge(agreeing.first, agreeing.second)[0], Quality::good, Cause::none);
    }
    const auto apart = judge(10, 100);
    expect(apart[0], Quality::suspect, Cause::disagree);
    expect(apart[1], Quality::suspect, Cause::disagree);
    expect(device({sample(0, Value::integer(10)), failure(1, Cause::timeout)})[0], Quality::good,
           Cause::none);
}

TEST(Normaliser, MaintenanceMarksEverythingAndMismatchWhatWasGood)
{
    auto point = point_named("a");
    point.valid_high = Fraction(10);
    Device device(profile_of({point, point}));
    const Samples samples{sample(0, Value::integer(5)), sample(1, Value::integer(50))};
    auto readings = device(samples, Cause::maintenance);
    expect(readings[0], Quality::suspect, Cause::maintenance);
    expect(readings[1], Quality::suspect, Cause::maintenance);
    readings = device(samples, Cause::mismatch);
    expect(readings[0], Quality::suspect, Cause::mismatch);
    expect(readings[1], Quality::suspect, Cause::out_of_range);
    readings = device({failure(0, Cause::timeout)}, Cause::maintenance);
    expect(readings[0], Quality::comm_error, Cause::maintenance);
}

TEST(Normaliser, AQuirkAddsASentinelForTheFirmwareThatHasIt)
{
    auto profile = profile_of({point_named("a")});
    profile.vendor = "Vaisala";
    profile.quirks = {Quirk{
        .vendor = "Vaisala", .firmware = "<2.0", .point = "a", .missing = {Value::integer(255)}}};
    const std::vector<std::uint16_t> due{0};
    for (const auto* firmware : {"1.9", "2.1", ""}) {
        auto normaliser = normaliser_of(profile, firmware);
        Samples samples{sample(0, Value::integer(255))};
        normaliser.judge(samples, due, at(0ms), Cause::none);
        EXPECT_EQ(normaliser.latest()[0].quality,
                  std::string_view(firmware) == "1.9" ? Quality::missing : Quality::good)
            << firmware;
    }
}

TEST(RuleBook, DevicesWithTheSameFactorsAndFirmwareShareTheirRules)
{
    RuleBook book;
    const auto meter = device_of({point_named("a")}, "meter-1");
    auto like_it = meter;
    like_it.site.id = "meter-2";
    auto rules = book.rules_of(meter, "1.0");
    EXPECT_EQ(rules, book.rules_of(like_it, "1.0"));
    EXPECT_NE(rules, book.rules_of(meter, "2.0"));
    EXPECT_NE(rules, book.rules_of(device_of({point_named("a")}), "1.0")) << "of another profile";
    const std::weak_ptr<const DeviceRules> known = rules;
    rules.reset();
    EXPECT_TRUE(known.expired()) << "the book keeps nothing for itself";
}

TEST(RuleBook, EveryDeviceRemembersItsOwnValues)
{
    auto point = point_named("a");
    point.counter = Counter{};
    const auto device = device_of({point});
    RuleBook book;
    Normaliser first(1, book.rules_of(device, ""));
    Normaliser second(2, book.rules_of(device, ""));
    const std::vector<std::uint16_t> due{0};
    const auto resets = [&](Normaliser& normaliser, int value) {
        Samples samples{sample(0, Value::integer(value))};
        normaliser.judge(samples, due, at(0ms), Cause::none);
        return normaliser.counter_resets().size();
    };
    EXPECT_EQ(resets(first, 100), 0U);
    EXPECT_EQ(resets(second, 50), 0U) << "100 was the other one's";
    EXPECT_EQ(resets(second, 40), 1U);
    EXPECT_EQ(first.latest()[0].alias, (Alias{1, 0}));
    EXPECT_EQ(second.latest()[0].alias, (Alias{2, 0}));
}

}  // namespace
