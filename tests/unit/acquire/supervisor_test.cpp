#include "tests/unit/acquire/supervisor_fixture.hpp"

#include <boost/asio/steady_timer.hpp>

using namespace gateway;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

constexpr auto whole = Alias::whole_device;

TEST_F(SupervisorTest, ReadsAtOnceAndThenOncePerPeriod)
{
    start({point_named("a"), point_named("b", 20s)});
    EXPECT_EQ(sink.readings().size(), 2U);
    clock.advance(9s);
    EXPECT_EQ(sink.readings().size(), 2U);
    clock.advance(1s);
    EXPECT_EQ(sink.readings().size(), 3U);
    clock.advance(10s);
    EXPECT_EQ(sink.readings().size(), 5U);
    EXPECT_EQ(sink.slots().expected, 5U);
    EXPECT_EQ(sink.slots().good, 5U);
    EXPECT_EQ(sink.accepts, 3) << "one hand-over per poll";
}

TEST_F(SupervisorTest, EachLaneGetsItsReadings)
{
    std::vector points{point_named("a"), point_named("b")};
    points[1].lane = Lane::billing;
    start(points);
    EXPECT_EQ(sink.readings(Lane::telemetry).at(0).alias.row, 0);
    EXPECT_EQ(sink.readings(Lane::billing).at(0).alias.row, 1);
    EXPECT_EQ(sink.slots(Lane::billing).good, 1U);
}

TEST_F(SupervisorTest, TheIdentityIsAnnouncedBeforeTheFirstReading)
{
    Profile profile;
    profile.points = {point_named("a")};
    profile.identify = {Identify{.matches = "iEM3155", .required = true},
                        Identify{.captures = "serial"}};
    script.identify = [] { return Identity{Value::of_text("iEM3155"), Value::integer(42)}; };
    auto device = device_of(profile);
    auto hooks = settings();
    bool durable = false;
    hooks.identified = [&](Identified identified) -> asio::awaitable<void> {
        announced.push_back(identified);
        co_await clock.sleep_until(clock.now() + 1s);
        durable = true;
    };
    supervisor = std::make_unique<Supervisor>(device, std::make_unique<ScriptedDriver>(script),
                                              clock, sink, hooks);
    tasks.spawn("meter", supervisor->run());
    clock.advance(0s);
    EXPECT_TRUE(sink.readings().empty());
    clock.advance(1s);
    EXPECT_TRUE(durable);
    EXPECT_EQ(sink.readings().size(), 1U);
    ASSERT_EQ(announced.size(), 1U);
    EXPECT_EQ(announced[0].verdict, IdentityVerdict::verified);
    EXPECT_EQ(announced[0].serial, "42");
    clock.advance(60s);
    EXPECT_EQ(announced.size(), 1U);
    EXPECT_EQ(script.identifications, 1);
}

TEST_F(SupervisorTest, AMismatchMarksEveryReadingAndIsToldOnce)
{
    Profile profile;
    profile.points = {point_named("a")};
    profile.identify = {Identify{.matches = "iEM3155", .required = true}};
    script.identify = [] { return Identity{Value::of_text("other")}; };
    start(device_of(profile));
    clock.advance(10s);
    for (const auto& reading : sink.readings()) {
        EXPECT_EQ(reading.quality, Quality::suspect);
        EXPECT_EQ(reading.cause, Cause::mismatch);
    }
    EXPECT_EQ(codes(), (std::vector<std::string>{"identity-mismatch"}));
    EXPECT_EQ(sink.slots().other, 2U);
}

TEST_F(SupervisorTest, AFailingPointLeavesTheOthersGoodAndIsStoredOnce)
{
    value = [](std::uint16_t row) {
        return row == 1 ? failure(1, exception_cause(2)) : sample(row, Value::integer(1));
    };
    start({point_named("a"), point_named("b")});
    clock.advance(90s);
    EXPECT_EQ(of_row(0).size(), 10U);
    ASSERT_EQ(of_row(1).size(), 1U);
    EXPECT_EQ(of_row(1)[0].cause, exception_cause(2));
    EXPECT_EQ(sink.slots().suppressed, 9U);
    EXPECT_EQ(sink.slots().other, 1U);
    EXPECT_TRUE(events.empty());
    clock.advance(15min);
    EXPECT_EQ(of_row(1).size(), 2U) << "and again after the silence";
}

TEST_F(SupervisorTest, AFailingDeviceGivesOneReadingPerCauseAndOneWhenItReturns)
{
    start({point_named("a"), point_named("b")});
    failure_of_all = Fault::timed_out;
    clock.advance(10s);
    ASSERT_EQ(of_row(whole).size(), 1U);
    EXPECT_EQ(of_row(whole)[0].quality, Quality::comm_error);
    EXPECT_EQ(of_row(whole)[0].cause, Cause::timeout);
    EXPECT_EQ(of_row(whole)[0].value, Value::integer(0));
    clock.advance(10s);
    EXPECT_EQ(of_row(whole).size(), 1U);
    failure_of_all = Fault::bad_checksum;
    clock.advance(10s);
    ASSERT_EQ(of_row(whole).size(), 2U);
    EXPECT_EQ(of_row(whole)[1].cause, Cause::crc);
    EXPECT_EQ(codes(), (std::vector<std::string>{"device-down"}));
    EXPECT_FALSE(supervisor->status().answering);
    failure_of_all.reset();
    clock.advance(60s);
    ASSERT_EQ(of_row(whole).size(), 3U);
    EXPECT_EQ(of_row(whole)[2].quality, Quality::good);
    EXPECT_EQ(of_row(whole)[2].value, Value::integer(1));
    EXPECT_EQ(codes(), (std::vector<std::string>{"device-down", "device-up"}));
    EXPECT_EQ(sink.slots().missed[Cause::timeout], 4U);
}

TEST_F(SupervisorTest, ADeadDeviceIsToldOnceAQuarterOfAnHour)
{
    failure_of_all = asio::error::connection_refused;
    start({point_named("a", 1s)});
    clock.advance(1h);
    EXPECT_GE(of_row(whole).size(), 4U);
    EXPECT_LE(of_row(whole).size(), 5U);
    EXPECT_EQ(of_row(whole)[0].cause, Cause::unreachable);
    EXPECT_EQ(events.size(), 1U);
    ASSERT_EQ(announced.size(), 1U) << "even this reading needs a dictionary";
    EXPECT_EQ(announced[0].verdict, IdentityVerdict::claimed);
}

TEST_F(SupervisorTest, ADeadDeviceIsProbedMoreAndMoreSeldomAndItsSlotsKeepTheCause)
{
    failure_of_all = Fault::timed_out;
    start({point_named("a", 1s)});
    clock.advance(2s);
    EXPECT_EQ(script.reads, 3);
    clock.advance(58s);
    EXPECT_LE(script.reads, 9);
    const auto before = script.reads;
    clock.advance(10min);
    EXPECT_GE(script.reads - before, 9) << "never slower than once a minute";
    EXPECT_LE(script.reads - before, 15);
    failure_of_all.reset();
    clock.advance(60s);
    const auto& slots = sink.slots();
    EXPECT_EQ(slots.missed.size(), 1U);
    EXPECT_GE(slots.missed.at(Cause::timeout), 600U);
    EXPECT_EQ(slots.expected, 1U + 720U);
    EXPECT_EQ(slots.expected, slots.good + all_missed(slots));
    EXPECT_TRUE(supervisor->status().answering);
}

TEST_F(SupervisorTest, D8_APortThatIsMissingIsTriedAgainWithinTenSeconds)
{
    failure_of_all =
        boost::system::errc::make_error_code(boost::system::errc::no_such_file_or_directory);
    start({point_named("a", 1s)});
    clock.advance(1h);
    failure_of_all.reset();
    clock.advance(9s);
    EXPECT_TRUE(supervisor->status().answering);
}

TEST_F(SupervisorTest, ADeviceThatWasSwappedWhileItWasDownIsAnnouncedAgain)
{
    Profile profile;
    profile.points = {point_named("a", 1s)};
    profile.identify = {Identify{.captures = "serial"}};
    int serial = 1;
    script.identify = [&] { return Identity{Value::integer(serial)}; };
    start(device_of(profile));
    failure_of_all = Fault::timed_out;
    clock.advance(10s);
    serial = 2;
    failure_of_all.reset();
    clock.advance(60s);
    ASSERT_EQ(announced.size(), 2U);
    EXPECT_EQ(announced[1].serial, "2");
    EXPECT_EQ(codes(), (std::vector<std::string>{"device-down", "device-replaced", "device-up"}));
}

TEST_F(SupervisorTest, S41_AfterAJumpOfTenMinutesThereIsOnePollAndTheRestIsCounted)
{
    start({point_named("a"), point_named("b")});
    clock.jump(10min);
    clock.advance(0s);
    EXPECT_EQ(script.reads, 2);
    EXPECT_EQ(sink.slots().expected, 2U + 120U);
    EXPECT_EQ(sink.slots().missed.at(Cause::late), 118U);
    clock.advance(10s);
    EXPECT_EQ(script.reads, 3);
}

TEST_F(SupervisorTest, ALateReadSkipsWholePeriods)
{
    delay = 25s;
    start({point_named("a")});
    clock.advance(100s);
    EXPECT_EQ(script.reads, 5) << "at 0, 25, 50, 75 and 100 s";
    EXPECT_EQ(sink.slots().missed.at(Cause::late), 4U) << "10, 30, 40 and 60 s";
}

TEST_F(SupervisorTest, WithoutRoomSlotsAreMissedAndNothingIsRead)
{
    start({point_named("a")});
    sink.room = false;
    clock.advance(50s);
    EXPECT_EQ(script.reads, 1);
    EXPECT_EQ(sink.slots().missed.at(Cause::store_slow), 5U);
    sink.room = true;
    clock.advance(10s);
    EXPECT_EQ(script.reads, 2);
    EXPECT_TRUE(events.empty());
}

TEST_F(SupervisorTest, F16_WhileReadingsAreThinnedAPointIsStoredOnceADistance)
{
    start({point_named("a")});
    clock.advance(10s);
    EXPECT_EQ(sink.readings().size(), 2U);
    sink.distance = 1min;
    clock.advance(10min);
    EXPECT_EQ(script.reads, 62) << "alarms are judged by every value";
    EXPECT_EQ(sink.readings().size(), 12U);
    EXPECT_EQ(sink.slots().missed.at(Cause::thinned), 50U);
    EXPECT_EQ(sink.slots().expected, 62U);
    sink.distance = 0s;
    clock.advance(1min);
    EXPECT_EQ(sink.readings().size(), 18U);
    EXPECT_TRUE(events.empty());
}

TEST_F(SupervisorTest, ADisabledDeviceIsLeftAlone)
{
    auto device = device_of({point_named("a")});
    device.site.enabled = false;
    start(std::move(device));
    clock.advance(1h);
    EXPECT_EQ(script.reads, 0);
    EXPECT_EQ(sink.slots().expected, 0U);
    EXPECT_FALSE(supervisor->status().enabled);
}

TEST_F(SupervisorTest, MaintenanceMarksReadingsUntilItEnds)
{
    start({point_named("a")});
    supervisor->maintain(clock.now() + 25s);
    EXPECT_TRUE(supervisor->status().maintenance_until);
    clock.advance(30s);
    std::vector<Cause> causes;
    for (const auto& reading : sink.readings()) {
        causes.push_back(reading.cause);
    }
    EXPECT_EQ(causes,
              (std::vector{Cause::none, Cause::maintenance, Cause::maintenance, Cause::none}));
    EXPECT_FALSE(supervisor->status().maintenance_until);
}

TEST_F(SupervisorTest, AnAlarmIsATransitionInItsOwnLane)
{
    Profile profile;
    profile.points = {point_named("level")};
    Alarm alarm;
    alarm.point = "level";
    alarm.when.above = Fraction(10);
    profile.alarms = {alarm};
    int level = 11;
    value = [&](std::uint16_t row) { return sample(row, Value::integer(level)); };
    start(device_of(profile));
    clock.advance(10s);
    level = 5;
    clock.advance(10s);
    ASSERT_EQ(sink.readings(Lane::alarm).size(), 2U);
    EXPECT_EQ(sink.readings(Lane::alarm)[0].value, Value::integer(1));
    EXPECT_EQ(sink.readings(Lane::alarm)[1].value, Value::integer(0));
    EXPECT_EQ(sink.slots(Lane::alarm).expected, 0U);
}

TEST_F(SupervisorTest, ACounterResetIsToldAndStored)
{
    auto point = point_named("energy");
    point.counter = Counter{};
    point.report.deadband = Fraction(1000);
    int energy = 500;
    value = [&](std::uint16_t row) { return sample(row, Value::integer(energy)); };
    start({point});
    energy = 3;
    clock.advance(10s);
    EXPECT_EQ(sink.readings().size(), 2U);
    EXPECT_EQ(codes(), (std::vector<std::string>{"counter-reset"}));
}

TEST_F(SupervisorTest, ARowTheDriverForgotIsAMissedSlot)
{
    value = [](std::uint16_t) { return sample(0, Value::integer(1)); };
    start({point_named("a"), point_named("b")});
    EXPECT_EQ(sink.slots().expected, 2U);
    EXPECT_EQ(sink.slots().good, 1U);
    EXPECT_EQ(sink.slots().missed.at(Cause::unexpected_reply), 1U);
}

TEST_F(SupervisorTest, ReadNowWaitsForThePollUnderWayAndStoresNothing)
{
    delay = 2s;
    start({point_named("a"), point_named("b")});
    std::optional<Result<std::vector<Reading>>> answer;
    auto ask = [&]() -> asio::awaitable<void> { answer = co_await supervisor->read_now(); };
    asio::co_spawn(io, ask, asio::detached);
    clock.advance(1s);
    EXPECT_EQ(script.reads, 1);
    clock.advance(3s);
    EXPECT_EQ(script.reads, 2);
    ASSERT_TRUE(answer && *answer);
    EXPECT_EQ((*answer)->size(), 2U);
    EXPECT_EQ(sink.readings().size(), 2U) << "those of the poll";
    failure_of_all = Fault::timed_out;
    answer.reset();
    asio::co_spawn(io, ask, asio::detached);
    clock.advance(3s);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->error(), Fault::timed_out);
    EXPECT_TRUE(events.empty());
}

TEST_F(SupervisorTest, ADriverThatNeverAnswersIsCutOff)
{
    script.read = [this](PointSet) -> asio::awaitable<Result<Samples>> {
        asio::steady_timer never(io, asio::steady_timer::time_point::max());
        co_await never.async_wait(asio::use_awaitable);
        co_return Samples{};
    };
    auto hooks = settings();
    hooks.longest_read = 20ms;
    auto device = device_of({point_named("a", 10ms)});
    supervisor = std::make_unique<Supervisor>(
        std::move(device), std::make_unique<ScriptedDriver>(script), clock, sink, hooks);
    tasks.spawn("meter", supervisor->run());
    clock.advance(0s);
    while (of_row(whole).empty()) {
        io.restart();
        io.run_one();
    }
    EXPECT_EQ(of_row(whole)[0].cause, Cause::timeout);
}

TEST_F(SupervisorTest, StatusKnowsTheLatestReadingOfEveryPoint)
{
    start({point_named("a"), point_named("b", 60s)});
    clock.advance(10s);
    const auto status = supervisor->status();
    EXPECT_TRUE(status.answering);
    EXPECT_EQ(status.period, 10s);
    EXPECT_EQ(status.last_good, at(10s));
    EXPECT_EQ(status.latest.at(0).time, at(10s));
    EXPECT_EQ(status.latest.at(1).time, at(0s));
    EXPECT_EQ(status.slots.good, 3U);
}

}  // namespace
