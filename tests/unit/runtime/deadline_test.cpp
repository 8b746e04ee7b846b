#include "gateway/runtime/deadline.hpp"
#include "gateway/runtime/task_group.hpp"
#include "tests/support/loop.hpp"

#include <boost/asio/detached.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

namespace gateway {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

asio::awaitable<Result<int>> answer_after(std::chrono::milliseconds time, int answer)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::use_awaitable);
    co_return answer;
}

asio::awaitable<Result<int>> broken()
{
    throw std::runtime_error("broken");
    co_return 1;
}

/// Takes no notice of being told to end before it has waited once more.
asio::awaitable<Result<int>> stubborn()
{
    co_await asio::this_coro::throw_if_cancelled(false);
    for (int i = 0; i < 2; ++i) {
        asio::steady_timer timer(co_await asio::this_coro::executor, 20ms);
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    co_return 7;
}

struct DeadlineTest : testing::Test {
    asio::io_context io{1};
};

TEST_F(DeadlineTest, CutsOffWhatTakesLonger)
{
    auto body = []() -> asio::awaitable<void> {
        const auto in_time = co_await with_deadline(answer_after(1ms, 7), 5s);
        EXPECT_EQ(in_time.value(), 7);
        const auto late = co_await with_deadline(answer_after(1h, 7), 5ms);
        EXPECT_EQ(late.error(), Fault::timed_out);
        const auto at_once = co_await with_deadline(answer_after(1h, 7), -5ms);
        EXPECT_EQ(at_once.error(), Fault::timed_out);
        const auto endless =
            co_await with_deadline(answer_after(1ms, 7), TimeLimit::Clock::duration::max());
        EXPECT_EQ(endless.value(), 7);
    };
    test::run_test(io, body());
}

TEST_F(DeadlineTest, WaitsForWhatItHasCutOff)
{
    auto body = []() -> asio::awaitable<void> {
        const auto late = co_await with_deadline(stubborn(), 1ms);
        EXPECT_EQ(late.error(), Fault::timed_out);
    };
    test::run_test(io, body());
}

TEST_F(DeadlineTest, TheInnerOrTheOuterOfTwoMayBeTheFirst)
{
    auto body = []() -> asio::awaitable<void> {
        const auto inner = co_await with_deadline(with_deadline(answer_after(1h, 7), 5ms), 1h);
        EXPECT_EQ(inner.error(), Fault::timed_out);
        const auto outer = co_await with_deadline(with_deadline(answer_after(1h, 7), 1h), 5ms);
        EXPECT_EQ(outer.error(), Fault::timed_out);
        const auto neither = co_await with_deadline(with_deadline(answer_after(1ms, 7), 1h), 1h);
        EXPECT_EQ(neither.value(), 7);
    };
    test::run_test(io, body());
}

TEST_F(DeadlineTest, PassesExceptionsAndCancellationOn)
{
    auto body = []() -> asio::awaitable<void> { co_await with_deadline(broken(), 5s); };
    EXPECT_THROW(test::run_test(io, body()), std::runtime_error);
    TaskGroup tasks(io.get_executor());
    bool passed = false;
    auto waits = [&]() -> asio::awaitable<void> {
        co_await with_deadline(answer_after(1h, 7), 1h);
        passed = true;
    };
    tasks.spawn("waits", waits());
    io.restart();
    io.poll();
    tasks.cancel();
    tasks.cancel();  // by another failure
    io.restart();
    io.run();
    EXPECT_FALSE(passed);
}

TEST_F(DeadlineTest, ALimitThatWasKeptLeavesNothingToWaitFor)
{
    auto body = []() -> asio::awaitable<void> {
        EXPECT_TRUE(co_await with_deadline(answer_after(1ms, 7), 1h));
    };
    test::run_test(io, body());
    io.restart();
    io.poll();
    EXPECT_TRUE(io.stopped());
}

TEST_F(DeadlineTest, LimitsPassInTheirOrderAndNoneThatWasTakenBack)
{
    std::vector<int> passed;
    const auto note = [&passed](int number) {
        return [&passed, number] { passed.push_back(number); };
    };
    auto body = [&]() -> asio::awaitable<void> {
        const auto executor = co_await asio::this_coro::executor;
        const TimeLimit third(executor, 20ms, note(3));
        const TimeLimit first(executor, 5ms, note(1));
        const TimeLimit second(executor, 10ms, note(2));
        const TimeLimit never(executor, 1h, note(0));
        {
            const TimeLimit taken_back(executor, 1ms, note(-1));
        }
        EXPECT_TRUE(co_await test::eventually([&] { return third.has_passed(); }));
        EXPECT_TRUE(first.has_passed() && second.has_passed() && !never.has_passed());
    };
    test::run_test(io, body());
    EXPECT_EQ(passed, (std::vector{1, 2, 3}));
}

TEST_F(DeadlineTest, ALimitMayBeSetWhileTheLastOneIsTakenBack)
{
    auto body = []() -> asio::awaitable<void> {
        for (int i = 0; i < 100; ++i) {
            const auto kept = co_await with_deadline(answer_after(0ms, i), 1h);
            EXPECT_EQ(kept.value(), i);
            const auto late = co_await with_deadline(answer_after(1h, i), 0ms);
            EXPECT_EQ(late.error(), Fault::timed_out);
        }
    };
    test::run_test(io, body());
}

TEST_F(DeadlineTest, ALoopMayEndWithALimitUnderWay)
{
    auto ended = std::make_unique<asio::io_context>(1);
    auto waits = []() -> asio::awaitable<void> {
        co_await with_deadline(with_deadline(answer_after(1h, 7), 1h), 2h);
    };
    asio::co_spawn(*ended, waits(), asio::detached);
    ended->poll();
    EXPECT_NO_FATAL_FAILURE(ended.reset());
}

}  // namespace
}  // namespace gateway
