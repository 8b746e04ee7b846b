#include "gateway/runtime/file_worker.hpp"

#include "gateway/runtime/deadline.hpp"
#include "tests/support/loop.hpp"

#include <gtest/gtest.h>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include <future>
#include <vector>

using namespace gateway;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

/// A job that hangs until it is let go; the thread may outlive the test's frame.
struct Hanging {
    std::shared_ptr<std::promise<void>> let_go = std::make_shared<std::promise<void>>();

    std::function<void()> job() const
    {
        return [gate = std::make_shared<std::future<void>>(let_go->get_future())] { gate->wait(); };
    }
};

struct FileWorkerTest : testing::Test {
    asio::io_context io{1};
    std::optional<FileWorker> worker{std::in_place, io.get_executor()};
    std::vector<int> log;

    asio::awaitable<Status> note(int number, Duration limit = 10s)
    {
        auto seen = std::make_shared<int>(0);
        auto write = [seen, number] { *seen = number; };
        const auto ran = co_await worker->run(write, limit);
        if (ran) {
            log.push_back(*seen);
        }
        co_return ran;
    }
    void run(asio::awaitable<void> body) { test::run_test(io, std::move(body)); }
};

TEST_F(FileWorkerTest, JobsRunInTheOrderOfTheCalls)
{
    auto body = [&]() -> asio::awaitable<void> {
        for (int i = 1; i <= 3; ++i) {
            asio::co_spawn(io, note(i), asio::detached);
        }
        EXPECT_TRUE(co_await note(4));
    };
    run(body());
    EXPECT_EQ(log, (std::vector{1, 2, 3, 4}));
}

TEST_F(FileWorkerTest, AHangingJobIsAbandonedAndOthersFailUntilItEnds)
{
    const Hanging hanging;
    auto body = [&]() -> asio::awaitable<void> {
        Status behind;
        asio::co_spawn(io, worker->run(hanging.job(), 20ms), asio::detached);
        behind = co_await note(1);
        EXPECT_EQ(behind.error(), Fault::timed_out);
        const auto later = co_await note(2);
        EXPECT_EQ(later.error(), Fault::timed_out);
        hanging.let_go->set_value();
        bool back = false;
        const auto end = std::chrono::steady_clock::now() + 20s;
        while (!back && std::chrono::steady_clock::now() < end) {
            co_await asio::post(io, asio::use_awaitable);
            back = (co_await note(3)).has_value();
        }
        EXPECT_TRUE(back);
    };
    run(body());
    EXPECT_EQ(log, (std::vector{3}));
}

TEST_F(FileWorkerTest, WaitingInLineDoesNotUseUpTheLimit)
{
    const Hanging slow;
    auto body = [&]() -> asio::awaitable<void> {
        Status first = Fault::closed;
        auto keep = [&first](std::exception_ptr, Status status) { first = status; };
        asio::co_spawn(io, worker->run(slow.job(), 20s), keep);
        asio::steady_timer timer(io, 60ms);
        auto release = [&](boost::system::error_code) { slow.let_go->set_value(); };
        timer.async_wait(release);
        EXPECT_TRUE(co_await note(1, 50ms));  // it begins after 60 ms
        EXPECT_TRUE(first);
    };
    run(body());
}

TEST_F(FileWorkerTest, ACancelledCallerLeavesAndTheNextOneIsServed)
{
    const Hanging slow;
    auto body = [&]() -> asio::awaitable<void> {
        const auto cut = co_await with_deadline(worker->run(slow.job(), 20s), 10ms);
        EXPECT_EQ(cut.error(), Fault::timed_out);
        slow.let_go->set_value();
        EXPECT_TRUE(co_await note(1));
    };
    run(body());
}

TEST_F(FileWorkerTest, EndsWhileAJobHangs)
{
    const Hanging hanging;
    auto body = [&]() -> asio::awaitable<void> {
        EXPECT_FALSE(co_await worker->run(hanging.job(), 5ms));
    };
    run(body());
    worker.reset();
    hanging.let_go->set_value();
}

}  // namespace
