// Devices that talk by themselves.
#include "tests/unit/acquire/supervisor_fixture.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <deque>

namespace gateway {
namespace {

using namespace std::chrono_literals;

/// What a test says becomes messages; without one the device is silent.
class TalkingDriver final : public Driver {
public:
    struct Speech {
        explicit Speech(boost::asio::io_context& loop)
            : io(loop), arrived(loop, boost::asio::steady_timer::time_point::max())
        {
        }
        void say(Samples samples)
        {
            messages.emplace_back(std::move(samples));
            arrived.cancel();
            io.restart();
            io.poll();
        }
        boost::asio::io_context& io;
        boost::asio::steady_timer arrived;
        std::deque<Result<Samples>> messages;
        std::optional<Identity> identity;
        std::vector<std::uint16_t> asked;
        Duration silence = 1h;
    };

    explicit TalkingDriver(Speech& speech) : speech_(speech) {}

    boost::asio::awaitable<Result<Samples>> read(PointSet rows) override
    {
        speech_.asked.assign(rows.begin(), rows.end());
        while (speech_.messages.empty()) {
            boost::system::error_code woken;
            co_await speech_.arrived.async_wait(
                boost::asio::redirect_error(boost::asio::use_awaitable, woken));
            const auto state = co_await boost::asio::this_coro::cancellation_state;
            if (state.cancelled() != boost::asio::cancellation_type::none) {
                throw boost::system::system_error(woken);
            }
        }
        auto message = std::move(speech_.messages.front());
        speech_.messages.pop_front();
        co_return message;
    }
    boost::asio::awaitable<Result<Identity>> identify() override
    {
        co_return speech_.identity ? Result<Identity>(*speech_.identity)
                                   : Result<Identity>(Fault::not_found);
    }
    std::optional<Duration> may_be_silent() const override { return speech_.silence; }

private:
    Speech& speech_;
};

struct ListenTest : SupervisorTest {
    TalkingDriver::Speech speech{io};

    void listen(Profile profile)
    {
        supervisor = std::make_unique<Supervisor>(device_of(std::move(profile)),
                                                  std::make_unique<TalkingDriver>(speech), clock,
                                                  sink, settings());
        tasks.spawn("talker", supervisor->run());
        clock.advance(Duration::zero());
    }
    void listen()
    {
        Profile profile;
        profile.points = {point_named("a", 0s), point_named("b", 0s)};
        listen(std::move(profile));
    }
    ~ListenTest() override
    {
        tasks.cancel();
        io.restart();
        io.poll();
    }
};

Sample told(std::uint16_t row, std::int64_t value, std::optional<WallTime> when = std::nullopt)
{
    auto result = sample(row, Value::integer(value));
    result.device_time = when;
    return result;
}

TEST_F(ListenTest, EveryMessageBecomesReadingsOfWhatItSpeaksOf)
{
    listen();
    speech.say({told(0, 1)});
    speech.say({told(0, 2), told(1, 20)});
    ASSERT_EQ(of_row(0).size(), 2U);
    ASSERT_EQ(of_row(1).size(), 1U);
    EXPECT_EQ(of_row(0)[1].value, Value::integer(2));
    EXPECT_EQ(sink.slots().expected, 3U);
    EXPECT_EQ(sink.slots().good, 3U);
    EXPECT_TRUE(supervisor->status().answering);
}

TEST_F(ListenTest, S17_AHundredTimestampedSamplesComeOutAsAHundred)
{
    listen();
    for (int i = 0; i < 100; ++i) {
        speech.messages.push_back(Samples{told(0, 7, WallTime(std::chrono::seconds(i)))});
    }
    speech.say({told(1, 1)});
    const auto readings = of_row(0);
    ASSERT_EQ(readings.size(), 100U);
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(readings[static_cast<std::size_t>(i)].device_time,
                  WallTime(std::chrono::seconds(i)));
    }
}

TEST_F(ListenTest, ALateMessageIsKeptAndNeverBecomesTheLatest)
{
    listen();
    speech.say({told(0, 2, WallTime(200s))});
    speech.say({told(0, 1, WallTime(100s))});
    const auto readings = of_row(0);
    ASSERT_EQ(readings.size(), 2U);
    EXPECT_EQ(readings[1].device_time, WallTime(100s));
    EXPECT_EQ(readings[1].quality, Quality::good);
    EXPECT_EQ(supervisor->status().latest[0].value, Value::integer(2));
    EXPECT_EQ(sink.slots().good, 2U);
}

TEST_F(ListenTest, ATimeThatHasNotComeYetHoldsNothingBack)
{
    clock.set_wall(WallTime(1000s), ClockState::synced);
    listen();
    speech.say({told(0, 1, WallTime(90'000s))});
    speech.say({told(0, 2, WallTime(1000s))});
    EXPECT_EQ(supervisor->status().latest[0].value, Value::integer(2));
}

TEST_F(ListenTest, IdentityIsWhatTheDeviceHasSaidSoFar)
{
    Profile profile;
    profile.points = {point_named("a", 0s)};
    profile.identify = {
        Identify{.read = {}, .matches = "^4711$", .captures = "serial", .required = true}};
    listen(std::move(profile));
    speech.say({told(0, 1)});
    ASSERT_EQ(announced.size(), 1U);
    EXPECT_EQ(announced[0].verdict, IdentityVerdict::claimed);
    EXPECT_EQ(of_row(0)[0].quality, Quality::good) << "nothing speaks against it yet";
    speech.identity = Identity{Value::of_text("4711")};
    speech.say({told(0, 2)});
    ASSERT_EQ(announced.size(), 2U);
    EXPECT_EQ(announced[1].verdict, IdentityVerdict::verified);
    EXPECT_EQ(announced[1].serial, "4711");
    speech.say({told(0, 3)});
    EXPECT_EQ(announced.size(), 2U);
    speech.identity = Identity{Value::of_text("4712")};
    speech.say({told(0, 4)});
    EXPECT_EQ(announced.back().verdict, IdentityVerdict::mismatch);
    EXPECT_EQ(of_row(0).back().cause, Cause::mismatch);
}

TEST_F(ListenTest, ALostConnectionIsToldOnceAndComesBack)
{
    listen();
    speech.messages.emplace_back(Fault::closed);
    speech.messages.emplace_back(Fault::closed);
    speech.arrived.cancel();
    io.restart();
    io.poll();
    EXPECT_FALSE(supervisor->status().answering);
    clock.advance(1s);
    speech.messages.push_back(Samples{told(0, 1)});
    clock.advance(60s);
    EXPECT_TRUE(supervisor->status().answering);
    EXPECT_EQ(codes(), (std::vector<std::string>{"device-down", "device-up"}));
}

TEST_F(ListenTest, SilenceIsAFailure)
{
    speech.silence = 20ms;  // of the machine's own time: the wait is one for the world
    listen();
    while (supervisor->status().last_cause == Cause::none) {
        io.restart();
        io.run_one_for(10s);
    }
    EXPECT_EQ(supervisor->status().last_cause, Cause::timeout);
    EXPECT_FALSE(codes().empty());
}

TEST_F(ListenTest, AReadByHandGivesWhatWasHeardLast)
{
    listen();
    std::optional<Result<std::vector<Reading>>> got;
    const auto ask = [&] {
        boost::asio::co_spawn(
            io, supervisor->read_now(),
            [&](const std::exception_ptr&, Result<std::vector<Reading>> readings) {
                got = std::move(readings);
            });
        io.restart();
        io.poll();
    };
    ask();
    ASSERT_TRUE(got);
    EXPECT_EQ(got->error(), Fault::timed_out);
    speech.say({told(1, 5)});
    ask();
    ASSERT_TRUE(*got);
    ASSERT_EQ((*got)->size(), 1U);
    EXPECT_EQ((*got)->front().value, Value::integer(5));
}

TEST_F(ListenTest, WhatSaysSomethingOfAnotherPointIsAskedForToo)
{
    Profile profile;
    profile.points = {point_named("a", 0s), point_named("a.unit", 0s)};
    profile.points[1].hidden = true;
    profile.points[1].kind = "text";
    profile.points[0].unit_from =
        UnitFrom{.point = "a.unit", .codes = {{Value::of_text("C"), {.times = 60}}}};
    listen(std::move(profile));
    EXPECT_EQ(speech.asked, (std::vector<std::uint16_t>{0, 1}));
    speech.say({told(0, 1), sample(1, Value::of_text("C"))});
    speech.say({told(0, 2), sample(1, Value::of_text("F"))});
    ASSERT_EQ(of_row(0).size(), 2U);
    EXPECT_EQ(of_row(0)[0].value, Value::integer(60));
    EXPECT_EQ(of_row(0)[1].quality, Quality::bad);
    EXPECT_TRUE(of_row(1).empty());
}

TEST_F(ListenTest, AReadByHandOfADeviceThatNobodyListensToWaitsForEveryPoint)
{
    Profile profile;
    profile.points = {point_named("a", 0s), point_named("b", 0s)};
    Supervisor alone(device_of(std::move(profile)), std::make_unique<TalkingDriver>(speech), clock,
                     sink, settings());
    std::optional<Result<std::vector<Reading>>> got;
    boost::asio::co_spawn(io, alone.read_now(),
                          [&](const std::exception_ptr&, Result<std::vector<Reading>> readings) {
                              got = std::move(readings);
                          });
    speech.say({told(1, 5)});
    EXPECT_FALSE(got);
    speech.say({told(1, 6)});
    speech.say({told(0, 7)});
    ASSERT_TRUE(got && *got);
    ASSERT_EQ((*got)->size(), 2U);
    EXPECT_EQ((**got)[0].value, Value::integer(7));
    EXPECT_EQ((**got)[1].value, Value::integer(6));
}

}  // namespace
}  // namespace gateway
