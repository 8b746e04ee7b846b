// What a device says of itself: its identity, its rows, and what must be read together; how it is
// woken.
#include "tests/unit/acquire/supervisor_fixture.hpp"

#include <limits>
#include <utility>

namespace asio = boost::asio;

namespace gateway::supervisor_device_test {

using namespace std::chrono_literals;

namespace {

struct DeviceTest : SupervisorTest {
    std::vector<std::vector<std::uint16_t>> asked;
    std::vector<BootTime> asked_at;

    DeviceTest()
    {
        script.read = [this](PointSet due) {
            asked.emplace_back(due.begin(), due.end());
            asked_at.emplace_back(
                std::chrono::floor<std::chrono::milliseconds>(clock.now().time_since_epoch()));
            return answer(due);
        };
    }
};

Profile profile_of(std::vector<Point> points)
{
    Profile profile;
    profile.points = std::move(points);
    return profile;
}

using Rows = std::vector<std::uint16_t>;

TEST_F(DeviceTest, AUnitIsReadWithItsPointAndIsNoReading)
{
    auto flow = point_named("flow");
    flow.unit_from = UnitFrom{.point = "flow.unit", .codes = {{Value::integer(1), {.times = 60}}}};
    auto unit = point_named("flow.unit");
    unit.hidden = true;
    value = [](std::uint16_t row) { return sample(row, Value::integer(row == 0 ? 5 : 1)); };
    start(device_of(profile_of({flow, unit})));
    EXPECT_EQ(asked.at(0), (Rows{0, 1}));
    ASSERT_EQ(sink.readings().size(), 1U);
    EXPECT_EQ(sink.readings()[0].value, Value::integer(300));
    EXPECT_EQ(sink.slots().expected, 1U);
}

TEST_F(DeviceTest, AStatusOfItsOwnPeriodIsReadWithEveryPollAndStoredWhenItIsDue)
{
    auto profile = profile_of({point_named("level"), point_named("word", 1h)});
    profile.status = {
        StatusRule{.point = "word", .points = {"level"}, .bits = {{0, Quality::bad}}}};
    value = [](std::uint16_t row) { return sample(row, Value::integer(row)); };
    start(device_of(profile));
    clock.advance(20s);
    EXPECT_EQ(of_row(1).size(), 1U);
    ASSERT_EQ(of_row(0).size(), 3U);
    EXPECT_EQ(of_row(0)[2].quality, Quality::bad);
    EXPECT_EQ(of_row(0)[2].cause, Cause::device_status);
    EXPECT_EQ(sink.slots().expected, 4U);
}

Profile with_rows()
{
    auto profile = profile_of(
        {point_named("a[1]"), point_named("a[2]"), point_named("a[3]"), point_named("a.count")});
    for (std::uint16_t i = 0; i < 3; ++i) {
        profile.points[i].row =
            PointRow{.of = "a", .number = static_cast<std::uint16_t>(i + 1), .count = "a.count"};
    }
    profile.points[3].hidden = true;
    return profile;
}

TEST_F(DeviceTest, OnlyTheRowsThatTheDeviceHasAreAskedFor)
{
    int count = 2;
    value = [&](std::uint16_t row) { return sample(row, Value::integer(row == 3 ? count : row)); };
    start(device_of(with_rows()));
    EXPECT_EQ(asked, (std::vector<Rows>{{3}, {0, 1, 3}}));
    EXPECT_EQ(sink.slots().expected, 2U);
    count = 3;
    clock.advance(20s);
    EXPECT_EQ(asked.back(), (Rows{0, 1, 2, 3}));
    EXPECT_EQ(codes(), (std::vector<std::string>{"rows-changed"}));
    EXPECT_EQ(sink.slots().expected, 2U + 2U + 3U);
    delay = 45s;
    clock.advance(60s);
    EXPECT_EQ(all_missed(sink.slots()) % 3, 0U) << "rows that exist are missed, no others";
}

TEST_F(DeviceTest, WithoutACountTheSlotsOfTheRowsAreMissed)
{
    value = [&](std::uint16_t row) {
        return row == 3 ? failure(3, exception_cause(2)) : sample(row, Value::integer(1));
    };
    start(device_of(with_rows()));
    EXPECT_EQ(sink.slots().missed.at(Cause::dependency), 3U);
    EXPECT_EQ(sink.slots().expected, 3U);
}

TEST_F(DeviceTest, IsWokenAndGivenTimeBeforeTheFirstValue)
{
    auto profile = profile_of({point_named("a"), point_named("wake.read")});
    profile.points[1].hidden = true;
    profile.wake = Wake{.point = "wake.read", .settle = 3s};
    start(device_of(profile));
    EXPECT_EQ(asked, (std::vector<Rows>{{1}}));
    EXPECT_TRUE(sink.readings().empty());
    clock.advance(3s);
    EXPECT_EQ(asked.back(), (Rows{0}));
    clock.advance(27s);
    EXPECT_EQ(asked.size(), 5U) << "it stays awake";
    failure_of_all = Fault::timed_out;
    clock.advance(10s);
    failure_of_all.reset();
    asked.clear();
    clock.advance(13s);
    EXPECT_EQ(asked, (std::vector<Rows>{{1}, {0}})) << "after silence it is woken again";
}

TEST_F(DeviceTest, ADeviceThatFallsAsleepIsWokenForEachPoll)
{
    auto profile = profile_of({point_named("a"), point_named("wake.read")});
    profile.points[1].hidden = true;
    profile.wake = Wake{.point = "wake.read", .idle = 5s, .settle = 1s};
    // The answer to the waking request is lost, as with devices that sleep on the line.
    value = [](std::uint16_t row) {
        return row == 1 ? failure(1, Cause::timeout) : sample(row, Value::integer(7));
    };
    start(device_of(profile));
    clock.advance(25s);
    EXPECT_EQ(asked, (std::vector<Rows>{{1}, {0}, {1}, {0}, {1}, {0}}));
    EXPECT_EQ(sink.readings().size(), 3U);
}

TEST_F(DeviceTest, WarmsUpAfterItsFirstAnswer)
{
    auto profile = profile_of({point_named("a")});
    profile.wake = Wake{.settle = 5s};
    start(device_of(profile));
    clock.advance(4s);
    EXPECT_EQ(script.reads, 0);
    clock.advance(1s);
    EXPECT_EQ(sink.readings().size(), 1U);
}

TEST_F(DeviceTest, TheIdentityIsAskedAtTheStartAfterSilenceAndOnceADay)
{
    auto profile = profile_of({point_named("a", 1h)});
    profile.identify = {Identify{.captures = "serial"}};
    script.identify = [] { return Identity{Value::integer(42)}; };
    start(device_of(profile));
    clock.advance(23h);
    EXPECT_EQ(script.identifications, 1);
    clock.advance(1h);
    EXPECT_EQ(script.identifications, 2);
    EXPECT_EQ(announced.size(), 1U) << "nothing new";
    failure_of_all = Fault::timed_out;
    clock.advance(1h);
    failure_of_all.reset();
    clock.advance(1h);
    EXPECT_EQ(script.identifications, 3) << "another one may stand there now";
}

TEST_F(DeviceTest, AnotherSerialNumberIsAnEventAndStartsCountersCleanly)
{
    auto energy = point_named("energy", 1h);
    energy.counter = Counter{};
    energy.rate_per_second = Fraction(1);
    energy.report.deadband = Fraction(1'000'000);
    auto profile = profile_of({energy});
    profile.identify = {Identify{.captures = "serial"}};
    int serial = 42;
    int reading = 500'000;
    script.identify = [&] { return Identity{Value::integer(serial)}; };
    value = [&](std::uint16_t row) { return sample(row, Value::integer(reading)); };
    start(device_of(profile));
    clock.advance(23h);
    serial = 43;
    reading = 3;
    clock.advance(1h);
    EXPECT_EQ(codes(), (std::vector<std::string>{"device-replaced"}));
    ASSERT_GE(sink.readings().size(), 2U);
    const auto& first = sink.readings().back();
    EXPECT_EQ(first.value, Value::integer(3));
    EXPECT_EQ(first.quality, Quality::good);
    EXPECT_EQ(announced.back().serial, "43");
}

TEST_F(DeviceTest, AnAnswerThatGotLostIsNotAnotherDevice)
{
    auto profile = profile_of({point_named("a")});
    profile.identify = {Identify{.matches = "M1", .required = true},
                        Identify{.captures = "serial"}};
    bool lost = true;
    script.identify = [&] {
        const bool now = std::exchange(lost, false);
        return Identity{now ? std::nullopt : std::optional(Value::of_text("M1")),
                        Value::integer(7)};
    };
    start(device_of(profile));
    EXPECT_EQ(announced.at(0).verdict, IdentityVerdict::verified);
    EXPECT_TRUE(events.empty());
    EXPECT_EQ(script.identifications, 2);
}

TEST_F(DeviceTest, AMismatchIsInTheStatusTheAnnouncementAndEveryReadingUntilItEnds)
{
    auto profile = profile_of({point_named("a"), point_named("b")});
    profile.identify = {Identify{.matches = "M1", .required = true}};
    std::string model = "M2";
    script.identify = [&] { return Identity{Value::of_text(model)}; };
    start(device_of(profile));
    clock.advance(10s);
    EXPECT_EQ(supervisor->status().identified.verdict, IdentityVerdict::mismatch);
    EXPECT_EQ(announced.at(0).verdict, IdentityVerdict::mismatch);
    ASSERT_EQ(sink.readings().size(), 4U);
    for (const auto& reading : sink.readings()) {
        EXPECT_EQ(reading.quality, Quality::suspect);
        EXPECT_EQ(reading.cause, Cause::mismatch);
    }
    model = "M1";
    clock.advance(24h);
    EXPECT_EQ(announced.back().verdict, IdentityVerdict::verified);
    EXPECT_EQ(sink.readings().back().quality, Quality::good);
}

TEST_F(DeviceTest, S17_AHundredSamplesWithTheirOwnTimesAreAHundredReadings)
{
    script.read = [](PointSet) -> asio::awaitable<Result<Samples>> {
        Samples samples;
        for (int i = 0; i < 100; ++i) {
            samples.push_back(sample(0, Value::integer(i)));
            samples.back().device_time = WallTime(std::chrono::seconds(i));
        }
        co_return samples;
    };
    start({point_named("a")});
    ASSERT_EQ(sink.readings().size(), 100U);
    EXPECT_EQ(sink.readings()[99].device_time, WallTime(99s));
    EXPECT_EQ(sink.slots().expected, 100U);
    EXPECT_EQ(sink.slots().good, 100U);
}

TEST_F(DeviceTest, D9_FlatlineSpikeNanAndWrapAreFlaggedAndKept)
{
    auto flat = point_named("flat");
    flat.stuck = 25s;
    auto spike = point_named("spike");
    spike.rate_per_second = Fraction(1);
    auto count = point_named("count");
    count.counter = Counter{.wrap = 65'535};
    count.rate_per_second = Fraction(10);
    int slot = 0;
    value = [&](std::uint16_t row) {
        const std::vector<Value> raw{
            Value::integer(5), Value::float32(slot == 2 ? 900.0F : 20.0F),
            slot == 1 ? Value::float32(std::numeric_limits<float>::quiet_NaN()) : Value::float32(1),
            Value::integer((65'500 + slot * 20) % 65'536)};
        return sample(row, raw.at(row));
    };
    start({flat, spike, point_named("nan"), count});
    for (slot = 1; slot < 4; ++slot) {
        clock.advance(10s);
    }
    EXPECT_EQ(of_row(0)[3].cause, Cause::stuck);
    EXPECT_EQ(of_row(0)[3].value, Value::integer(5));
    EXPECT_EQ(of_row(1)[2].cause, Cause::rate);
    EXPECT_EQ(of_row(1)[2].value, Value::float32(900));
    EXPECT_EQ(of_row(1)[3].quality, Quality::good);
    EXPECT_EQ(of_row(2)[1].quality, Quality::bad);
    EXPECT_EQ(of_row(2)[1].cause, Cause::not_a_number);
    EXPECT_FALSE(of_row(2)[1].value.is_none());
    for (const auto& reading : of_row(3)) {
        EXPECT_EQ(reading.quality, Quality::good);
    }
    EXPECT_EQ(of_row(3)[2].value, Value::integer(4));
    EXPECT_TRUE(events.empty()) << "a wrap is no reset";
}

}  // namespace

}  // namespace gateway::supervisor_device_test
