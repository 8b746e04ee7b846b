#include "gateway/runtime/task_group.hpp"
#include "gateway/runtime/worker.hpp"
#include "tests/support/loop.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace gateway;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

asio::awaitable<void> for_ever()
{
    asio::steady_timer timer(co_await asio::this_coro::executor,
                             asio::steady_timer::time_point::max());
    co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<Result<int>> answer_after(std::chrono::milliseconds time, int answer)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, time);
    co_await timer.async_wait(asio::use_awaitable);
    co_return answer;
}

struct TasksTest : testing::Test {
    asio::io_context io{1};
};

TEST_F(TasksTest, TheFirstFailureCancelsTheGroupAndIsRethrown)
{
    auto body = [this]() -> asio::awaitable<void> {
        TaskGroup tasks(io.get_executor());
        tasks.spawn("for ever", for_ever());
        auto fails = []() -> asio::awaitable<void> {
            co_await answer_after(1ms, 0);
            throw std::runtime_error("broken");
        };
        tasks.spawn("fails", fails());
        co_await tasks.join();
    };
    EXPECT_THROW(test::run_test(io, body()), std::runtime_error);
}

TEST_F(TasksTest, ACancelledGroupJoinsWithoutAFailure)
{
    auto body = [this]() -> asio::awaitable<void> {
        TaskGroup tasks(io.get_executor());
        for (int i = 0; i < 10; ++i) {
            tasks.spawn("for ever", for_ever());
        }
        co_await answer_after(1ms, 0);
        tasks.cancel();
        co_await tasks.join();
    };
    test::run_test(io, body());
}

TEST_F(TasksTest, WorkerJobsRunInOrderAndAnswerOnTheLoop)
{
    Worker worker;
    std::vector<int> order;
    std::thread::id on;
    worker.post([&order] { order.push_back(0); });
    auto body = [&]() -> asio::awaitable<void> {
        for (int i = 1; i < 4; ++i) {
            auto job = [&order, &on, i] {
                on = std::this_thread::get_id();
                order.push_back(i);
                return i;
            };
            EXPECT_EQ(co_await worker.run(job), i);
        }
        auto fails = []() -> int { throw std::runtime_error("job"); };
        co_await worker.run(fails);
    };
    EXPECT_THROW(test::run_test(io, body()), std::runtime_error);
    EXPECT_EQ(order, (std::vector{0, 1, 2, 3}));
    EXPECT_TRUE(on != std::this_thread::get_id());
    worker.join();
}

TEST_F(TasksTest, ACancelledWaiterLetsTheJobEnd)
{
    Worker worker;
    std::promise<void> may_end;
    std::atomic<bool> ended = false;
    TaskGroup tasks(io.get_executor());
    auto waits = [&]() -> asio::awaitable<void> {
        auto job = [&] {
            may_end.get_future().wait();
            return ended.exchange(true);
        };
        co_await worker.run(job);
    };
    tasks.spawn("waits", waits());
    io.poll();
    tasks.cancel();
    may_end.set_value();
    io.restart();
    io.run();
    EXPECT_TRUE(ended);
    worker.join();
}

TEST_F(TasksTest, TheWorkerTellsForHowLongItIsBusy)
{
    Worker worker;
    std::promise<void> started;
    std::promise<void> may_end;
    using namespace std::chrono_literals;
    EXPECT_EQ(worker.busy_for(), 0s);
    const auto before = std::chrono::steady_clock::now();
    worker.post([&] {
        started.set_value();
        may_end.get_future().wait();
    });
    started.get_future().wait();
    while (worker.busy_for() < 1ms) {
        std::this_thread::yield();
    }
    const auto busy = worker.busy_for();
    EXPECT_LE(busy, std::chrono::steady_clock::now() - before);
    may_end.set_value();
    worker.join();
    EXPECT_EQ(worker.busy_for(), 0s);
}

}  // namespace
