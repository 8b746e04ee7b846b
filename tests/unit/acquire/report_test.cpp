#include "gateway/acquire/report.hpp"

#include "tests/unit/acquire/device.hpp"

#include <gtest/gtest.h>

using namespace gateway;
using namespace std::chrono_literals;

namespace {

using Offset = std::optional<std::chrono::milliseconds>;

/// Feeds readings to one rule and says which were stored.
struct Reports {
    Reports(const Report& report, Fraction scale, Duration poll) : rule(report, scale, poll) {}

    bool operator()(std::chrono::milliseconds time, Value value, Cause cause = Cause::none)
    {
        const auto quality = cause == Cause::none ? Quality::good : Quality::comm_error;
        const Reading reading{
            .time = at(time), .value = std::move(value), .quality = quality, .cause = cause};
        const bool store = rule.stores(reading, last, offset);
        if (store) {
            rule.remember(reading, last);
        }
        return store;
    }
    ReportRule rule;
    Stored last;
    Offset offset;
};

TEST(Report, WithoutARuleEverySlotIsStored)
{
    Reports reports({}, 1, 10s);
    EXPECT_TRUE(reports(0s, Value::integer(1)));
    EXPECT_TRUE(reports(10s, Value::integer(1)));
}

TEST(Report, ADeadbandInTheUnitOfThePointIsReachedExactly)
{
    Reports reports({.deadband = Fraction::parse("0.2")}, *Fraction::parse("0.1"), 10s);
    EXPECT_TRUE(reports(0s, Value::integer(100)));
    EXPECT_FALSE(reports(10s, Value::integer(101)));
    EXPECT_TRUE(reports(20s, Value::integer(102)));
    EXPECT_FALSE(reports(30s, Value::integer(101)));
    EXPECT_TRUE(reports(40s, Value::integer(100)));
}

TEST(Report, ADeadbandOnFloatsCountsDecimals)
{
    Reports reports({.deadband = Fraction::parse("0.1")}, 1, 10s);
    EXPECT_TRUE(reports(0s, Value::float32(230.4F)));
    EXPECT_FALSE(reports(1s, Value::float32(230.45F)));
    EXPECT_TRUE(reports(2s, Value::float32(230.5F))) << "230.5 - 230.4 is 0.1, as people read it";
}

TEST(Report, OnChangeStoresAnyChange)
{
    Reports reports({.on_change = true}, 1, 10s);
    EXPECT_TRUE(reports(0s, Value::of_text("a")));
    EXPECT_FALSE(reports(10s, Value::of_text("a")));
    EXPECT_TRUE(reports(20s, Value::of_text("b")));
}

TEST(Report, SilenceHasAnEnd)
{
    Reports reports({.deadband = Fraction(5), .max = 60s}, 1, 10s);
    int stored = 0;
    for (auto time = 0s; time < 600s; time += 10s) {
        stored += reports(time + 3ms * (time.count() % 7), Value::integer(1)) ? 1 : 0;
    }
    EXPECT_EQ(stored, 10);
    Reports unlimited({.on_change = true}, 1, 10s);
    EXPECT_TRUE(unlimited(0s, Value::integer(1)));
    EXPECT_FALSE(unlimited(14min, Value::integer(1)));
    EXPECT_TRUE(unlimited(15min, Value::integer(1)));
}

TEST(Report, EveryIsNotLateByAPollBecauseOfJitter)
{
    Reports reports({.every = 900s}, 1, 60s);
    EXPECT_TRUE(reports(120ms, Value::integer(1)));
    EXPECT_FALSE(reports(840s, Value::integer(2)));
    EXPECT_TRUE(reports(900s + 10ms, Value::integer(3)));
}

TEST(Report, AlignedReportsFallOnTheFirstReadingOfEachWallInterval)
{
    Reports reports({.every = 900s, .align = true}, 1, 60s);
    reports.offset = 1'700'000'040s;  // 14:00 in its quarter of an hour
    EXPECT_EQ((*reports.offset + 60s) % 900s, 0s);
    EXPECT_TRUE(reports(0s, Value::integer(1)));
    EXPECT_TRUE(reports(60s, Value::integer(2)));
    int stored = 0;
    for (auto time = 120s; time < 960s; time += 60s) {
        stored += reports(time, Value::integer(3)) ? 1 : 0;
    }
    EXPECT_EQ(stored, 0);
    EXPECT_TRUE(reports(960s, Value::integer(4)));
    reports.offset.reset();
    EXPECT_FALSE(reports(1020s, Value::integer(4))) << "without a clock the interval is measured";
    EXPECT_TRUE(reports(1860s, Value::integer(4)));
}

TEST(Report, AFailingPointIsStoredOnceAndAgainAfterTheSilence)
{
    Reports reports({}, 1, 10s);
    EXPECT_TRUE(reports(0s, Value::integer(1)));
    EXPECT_TRUE(reports(10s, {}, Cause::timeout));
    EXPECT_FALSE(reports(20s, {}, Cause::timeout));
    EXPECT_TRUE(reports(30s, {}, Cause::crc)) << "another cause";
    EXPECT_FALSE(reports(40s, {}, Cause::crc));
    EXPECT_TRUE(reports(930s, {}, Cause::crc));
    EXPECT_TRUE(reports(940s, Value::integer(1)));
}

}  // namespace
