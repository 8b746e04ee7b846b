#include "gateway/acquire/bus.hpp"

#include "gateway/runtime/task_group.hpp"

#include <gtest/gtest.h>
#include <boost/asio.hpp>

#include <memory>
#include <optional>
#include <random>

namespace asio = boost::asio;

namespace gateway::bus_test {

namespace {

struct BusTest : testing::Test {
    asio::io_context io{1};
    Bus bus;
    std::vector<int> order;
    std::vector<std::unique_ptr<asio::cancellation_signal>> stops;

    void poll()
    {
        io.restart();
        io.poll();
    }

    /// Takes the turn, notes it, and keeps it until `release` is fired.
    asio::awaitable<void> hold(int number, asio::steady_timer& release)
    {
        const auto turn = co_await bus.take();
        order.push_back(number);
        co_await release.async_wait(asio::as_tuple(asio::use_awaitable));
    }

    void start(int number, asio::steady_timer& release)
    {
        stops.push_back(std::make_unique<asio::cancellation_signal>());
        auto ended = [](std::exception_ptr) {};
        asio::co_spawn(io, hold(number, release),
                       asio::bind_cancellation_slot(stops.back()->slot(), ended));
        poll();
    }
    asio::steady_timer timer()
    {
        return asio::steady_timer(io, asio::steady_timer::time_point::max());
    }
    static void cancel(asio::cancellation_signal& stop)
    {
        stop.emit(asio::cancellation_type::terminal);
    }
};

TEST_F(BusTest, TurnsAreGivenInTheOrderAskedFor)
{
    auto first = timer();
    auto second = timer();
    auto third = timer();
    start(1, first);
    start(2, second);
    start(3, third);
    EXPECT_EQ(order, (std::vector{1}));
    first.cancel();
    poll();
    EXPECT_EQ(order, (std::vector{1, 2}));
    second.cancel();
    poll();
    EXPECT_EQ(order, (std::vector{1, 2, 3}));
    third.cancel();
    poll();
    auto fourth = timer();
    start(4, fourth);
    EXPECT_EQ(order.back(), 4) << "the bus is free again";
    fourth.cancel();
    poll();
}

TEST_F(BusTest, ACancelledWaiterLeavesTheQueue)
{
    auto first = timer();
    auto second = timer();
    auto third = timer();
    start(1, first);
    start(2, second);
    start(3, third);
    cancel(*stops[1]);
    poll();
    first.cancel();
    poll();
    EXPECT_EQ(order, (std::vector{1, 3}));
    third.cancel();
    poll();
}

TEST_F(BusTest, ATurnGivenToAWaiterThatIsCancelledAtThatMomentPassesOn)
{
    auto first = timer();
    auto second = timer();
    auto third = timer();
    start(1, first);
    start(2, second);
    start(3, third);
    first.cancel();  // releases the turn to 2 …
    io.restart();
    io.run_one();  // … which has not run yet
    cancel(*stops[1]);
    poll();
    second.cancel();
    poll();
    EXPECT_EQ(order.back(), 3);
    third.cancel();
    poll();
}

TEST_F(BusTest, NoTurnIsEverLostUnderRandomCancellation)
{
    std::mt19937 random(7);
    for (int round = 0; round < 300; ++round) {
        std::vector<std::unique_ptr<asio::steady_timer>> releases;
        stops.clear();
        for (int i = 0; i < 6; ++i) {
            releases.push_back(std::make_unique<asio::steady_timer>(timer()));
            start(i, *releases.back());
        }
        for (int step = 0; step < 12; ++step) {
            const auto pick = random() % 6;
            random() % 2 == 0 ? cancel(*stops[pick]) : void(releases[pick]->cancel());
            if (random() % 2 == 0) {
                poll();
            }
        }
        for (int i = 0; i < 6; ++i) {
            for (auto& release : releases) {
                release->cancel();
            }
            poll();
        }
        order.clear();
        auto last = timer();
        start(99, last);
        ASSERT_EQ(order, (std::vector{99})) << "round " << round;
        last.cancel();
        poll();
    }
}

}  // namespace

}  // namespace gateway::bus_test
