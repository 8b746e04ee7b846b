#include "drivers/json/age.hpp"

#include <gtest/gtest.h>

namespace gateway::json_text::json_time_test {
namespace {

using namespace std::chrono_literals;

constexpr WallTime noon(std::chrono::milliseconds(1'700'000'000'000));  // 2023-11-14T22:13:20Z

std::optional<std::int64_t> read(std::string_view text, std::string_view format = {},
                                 std::string_view zone = {})
{
    TimeFormat parsed;
    if (!format.empty()) {
        const auto found = parse_format(format);
        EXPECT_TRUE(found) << format;
        parsed = found.value_or(TimeFormat{});
    }
    parsed.zone = parse_zone(zone).value_or(0min);
    const auto time = parse_time(text, parsed, noon);
    return time ? std::optional(time->time_since_epoch().count()) : std::nullopt;
}

constexpr std::int64_t ms = 1'700'000'000'000;

TEST(JsonTime, IsReadInTheFormsThatDevicesUse)
{
    EXPECT_EQ(read("1700000000"), ms);
    EXPECT_EQ(read("1700000000.25"), ms + 250);
    EXPECT_EQ(read("1700000000000"), ms);
    EXPECT_EQ(read("1700000000000000"), ms);
    EXPECT_EQ(read("1700000000000000000"), ms);
    EXPECT_EQ(read("2023-11-14T22:13:20Z"), ms);
    EXPECT_EQ(read("2023-11-14T22:13:20.123456789+00:00"), ms + 123);
    EXPECT_EQ(read("2023-11-14 22:13:20"), ms);
    EXPECT_EQ(read("2023-11-14T23:13:20+01:00"), ms);
    EXPECT_EQ(read("2023-11-14T17:43:20-0430"), ms);
    EXPECT_EQ(read("2023-11-14T23:13:20", {}, "+01:00"), ms) << "the profile's zone";
    EXPECT_EQ(read("2023-11-14T22:13:20Z", {}, "+01:00"), ms) << "the text's own zone holds";
    EXPECT_EQ(read("2023-11-14T22:13"), ms - 20'000);
}

TEST(JsonTime, IsReadByFormat)
{
    EXPECT_EQ(read("1700000000", "unix"), ms);
    EXPECT_EQ(read("1.7e9", "unix"), ms);
    EXPECT_EQ(read("1700000000123", "unix_ms"), ms + 123);
    EXPECT_EQ(read("14.5", "age"), ms - 14'500);
    EXPECT_EQ(read("2023/11/14T22:13:20z", "%Y/%m/%dT%H:%M:%Sz"), ms);
    EXPECT_EQ(read("14 Nov 2023 10:13:20 PM", "%d %b %Y %I:%M:%S %p"), ms);
    EXPECT_EQ(read("Tue, 14 Nov 23 22:13:20.250 +0000", "%a, %d %b %y %T.%f %z"), ms + 250);
    EXPECT_EQ(read("2023-11-14 22:13:20", "%F %T"), ms);
    EXPECT_EQ(read("@1700000000", "@%s"), ms);
}

TEST(JsonTime, RefusesWhatIsNoTime)
{
    for (const auto* text : {"", "x", "-1", "17", "2023-13-01T00:00:00Z", "2023-02-29T00:00:00Z",
                             "2023-11-14T24:00:00Z", "2023-11-14T22:60:00Z", "2023-11-14T22:13:20X",
                             "2023-11-14T22:13:20+25:00", "2023-11-14T22:13:20Z ", "1e300",
                             "99999999999999999999999", "2300-01-01T00:00:00Z"}) {
        EXPECT_FALSE(read(text)) << text;
    }
    EXPECT_FALSE(read("1e99", "unix"));
    EXPECT_FALSE(read("-5", "age"));
    EXPECT_FALSE(read("2023/11/14", "%Y/%m/%dT%H:%M:%Sz"));
    EXPECT_FALSE(read("13 PM", "%I %p"));
    for (const auto* format : {"", "iso", "%", "%Q", "yyyy-mm-dd"}) {
        EXPECT_FALSE(parse_format(format)) << format;
    }
    for (const auto* zone : {"", "1", "+1:00", "+15:00", "+01:60", "Zx"}) {
        EXPECT_FALSE(parse_zone(zone)) << zone;
    }
}

struct JsonFreshness : testing::Test {
    Freshness freshness;
    ClockReading wall{.wall = noon, .state = ClockState::synced, .error_ms = 100};
    Instant now{1h};
    std::optional<Duration> limit = 10min;

    Sample mark(DeviceTime said, bool retained = false)
    {
        Samples samples(1);
        samples[0].raw = Value::integer(1);
        freshness.mark(samples, said, limit, wall, now, retained);
        return samples[0];
    }
};

TEST_F(JsonFreshness, FollowsFromTheDevicesOwnTime)
{
    const auto fresh = mark({.time = noon - 9min, .wanted = true});
    EXPECT_EQ(fresh.quality, Quality::good);
    EXPECT_EQ(fresh.device_time, noon - 9min);
    const auto old = mark({.time = noon - 11min, .wanted = true});
    EXPECT_EQ(old.quality, Quality::stale);
    EXPECT_EQ(old.raw, Value::integer(1)) << "the value is kept";
}

TEST_F(JsonFreshness, FindsAStoppedDeviceWithoutAWallClock)
{
    wall.state = ClockState::unset;
    const DeviceTime said{.time = WallTime(1000s), .wanted = true};
    EXPECT_EQ(mark(said).quality, Quality::good);
    now += 10min;
    EXPECT_EQ(mark(said).quality, Quality::good);
    now += 1s;
    EXPECT_EQ(mark(said).quality, Quality::stale);
    EXPECT_EQ(mark({.time = WallTime(1001s), .wanted = true}).quality, Quality::good);
}

TEST_F(JsonFreshness, IsInDoubtWithoutTheTimeThatTheProfilePromises)
{
    const auto sample = mark({.time = std::nullopt, .wanted = true});
    EXPECT_EQ(sample.quality, Quality::suspect);
    EXPECT_EQ(sample.cause, Cause::clock);
    EXPECT_EQ(mark({}).quality, Quality::good);
}

TEST_F(JsonFreshness, IsNotGivenByABrokerThatRetainedAMessage)
{
    EXPECT_EQ(mark({}, true).quality, Quality::stale);
    EXPECT_EQ(mark({.time = noon - 1min, .wanted = true}, true).quality, Quality::good);
    EXPECT_EQ(mark({.time = noon - 1h, .wanted = true}, true).quality, Quality::stale);
    limit.reset();
    EXPECT_EQ(mark({.time = noon - 1min, .wanted = true}, true).quality, Quality::stale);
}

}  // namespace
}  // namespace gateway::json_text::json_time_test
