#include "gateway/runtime/system_clock.hpp"

#include "tests/support/loop.hpp"

#include <gtest/gtest.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>

#include <sys/timex.h>

using namespace gateway;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

TEST(ClockDiscipline, IsUnsetUntilItWasSyncedOnceAndThenHoldover)
{
    ClockDiscipline discipline;
    discipline.observe(STA_UNSYNC, 16'000'000);
    EXPECT_EQ(discipline.state(), ClockState::unset);
    EXPECT_EQ(discipline.error_ms(), 0xFFFFFFFF);
    discipline.observe(STA_PLL, 1'500);
    EXPECT_EQ(discipline.state(), ClockState::synced);
    EXPECT_EQ(discipline.error_ms(), 2U) << "rounded up: it is a bound";
    discipline.observe(STA_UNSYNC, 16'000'000);
    EXPECT_EQ(discipline.state(), ClockState::holdover);
    EXPECT_EQ(discipline.error_ms(), 16'000U);
    discipline.observe(-1, -1);
    EXPECT_EQ(discipline.state(), ClockState::holdover);
    EXPECT_EQ(discipline.error_ms(), 16'000U);
}

TEST(ClockDiscipline, ATrustedClockIsHoldoverUntilTheKernelKnowsBetter)
{
    ClockDiscipline discipline(true);
    EXPECT_EQ(discipline.state(), ClockState::holdover);
    discipline.observe(STA_UNSYNC, 16'000'000);
    EXPECT_EQ(discipline.state(), ClockState::holdover);
    discipline.observe(STA_PLL, 1'500);
    EXPECT_EQ(discipline.state(), ClockState::synced);
}

TEST(ClockDiscipline, NotAllowedToAskIsUnset)
{
    ClockDiscipline discipline;
    discipline.observe(-1, -1);
    EXPECT_EQ(discipline.state(), ClockState::unset);
}

TEST(SystemClock, TellsBootTimeAndWallTime)
{
    asio::io_context io;
    const SystemClock clock(io.get_executor());
    const auto first = clock.now();
    const auto second = clock.now();
    EXPECT_GT(first.time_since_epoch(), 0s);
    EXPECT_LE(first, second);
    const auto apart = clock.wall().wall - std::chrono::system_clock::now();
    EXPECT_LT(std::chrono::abs(apart), 5s);
}

TEST(SystemClock, SleepsUntilTheInstant)
{
    asio::io_context io;
    SystemClock clock(io.get_executor());
    const auto wake = clock.now() + 20ms;
    auto body = [&]() -> asio::awaitable<void> {
        co_await clock.sleep_until(wake);
        EXPECT_GE(clock.now(), wake);
        co_await clock.sleep_until(wake);  // the past returns at once
    };
    test::run_test(io, body());
}

TEST(SystemClock, ASleepOfAllTimeCanBeCancelled)
{
    asio::io_context io;
    SystemClock clock(io.get_executor());
    asio::cancellation_signal stop;
    bool cancelled = false;
    auto ended = [&](std::exception_ptr thrown) { cancelled = thrown != nullptr; };
    asio::co_spawn(io, clock.sleep_until(Instant::max()),
                   asio::bind_cancellation_slot(stop.slot(), ended));
    io.poll();
    stop.emit(asio::cancellation_type::terminal);
    io.restart();
    io.poll();
    EXPECT_TRUE(cancelled);
}

TEST(SystemClock, NoStepIsSeenWhileNobodySetsTheClock)
{
    asio::io_context io;
    SystemClock clock(io.get_executor());
    asio::cancellation_signal stop;
    bool ended = false;
    auto end = [&](std::exception_ptr) { ended = true; };
    asio::co_spawn(io, clock.wait_for_step(), asio::bind_cancellation_slot(stop.slot(), end));
    io.run_for(30ms);
    EXPECT_FALSE(ended);
    stop.emit(asio::cancellation_type::terminal);
    io.restart();
    io.run();
    EXPECT_TRUE(ended);
}

}  // namespace
