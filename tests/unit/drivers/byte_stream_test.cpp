#include "drivers/transport/byte_stream.hpp"
#include "gateway/runtime/task_group.hpp"
#include "tests/support/loop.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <gtest/gtest.h>

#include <array>
#include <memory>

namespace gateway {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using asio::ip::tcp;

/// A stream to a peer that says what the test lets it say.
struct Limits : testing::Test {
    asio::io_context io{1};
    tcp::acceptor acceptor{io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
    tcp::socket peer{io};
    std::unique_ptr<ByteStream> stream =
        make_tcp_stream(io.get_executor(), "127.0.0.1", acceptor.local_endpoint().port());
    std::array<std::uint8_t, 4> bytes{};

    void SetUp() override
    {
        auto connect = [this]() -> asio::awaitable<void> {
            EXPECT_TRUE(co_await stream->connect());
            peer = co_await acceptor.async_accept(asio::use_awaitable);
        };
        test::run_test(io, connect());
    }
    void say(std::size_t count)
    {
        const std::array<std::uint8_t, 4> said{1, 2, 3, 4};
        asio::write(peer, asio::buffer(said, count));
    }
};

TEST_F(Limits, WhatComesInTimeIsTaken)
{
    say(4);
    auto body = [this]() -> asio::awaitable<void> {
        EXPECT_TRUE(co_await stream->within(5s, stream->read_exactly(bytes)));
    };
    test::run_test(io, body());
    EXPECT_EQ(bytes[3], 4);
}

TEST_F(Limits, EndsWhatIsUnderWayAndNotTheStream)
{
    auto body = [this]() -> asio::awaitable<void> {
        const auto some = co_await stream->within(5ms, stream->read_some(bytes));
        EXPECT_EQ(some.error(), Fault::timed_out);
        const auto all = co_await stream->within(5ms, stream->read_exactly(bytes));
        EXPECT_EQ(all.error(), Fault::timed_out);
        say(2);
        EXPECT_EQ((co_await stream->within(5s, stream->read_some(bytes))).value(), 2U);
    };
    test::run_test(io, body());
}

TEST_F(Limits, HoldForAllThatAnOperationDoes)
{
    // Whatever fails, it goes on: nothing may wait any more.
    auto does_not_give_up = [this]() -> asio::awaitable<Status> {
        for (int i = 0; i < 3; ++i) {
            const auto got = co_await stream->read_some(bytes);
            EXPECT_EQ(got.error(), Fault::timed_out);
        }
        const auto sent = co_await stream->write(bytes);
        EXPECT_EQ(sent.error(), Fault::timed_out);
        co_return sent;
    };
    auto body = [&]() -> asio::awaitable<void> {
        const auto late = co_await stream->within(5ms, does_not_give_up());
        EXPECT_EQ(late.error(), Fault::timed_out);
        EXPECT_TRUE(co_await stream->within(5s, stream->write(bytes)));
    };
    test::run_test(io, body());
}

TEST_F(Limits, TheInnerOrTheOuterOfTwoMayBeTheFirst)
{
    const auto twice = [this](TimeLimit::Clock::duration inner) -> asio::awaitable<Status> {
        const auto first = co_await stream->within(inner, stream->read_some(bytes));
        EXPECT_EQ(first.error(), Fault::timed_out);
        const auto second = co_await stream->within(inner, stream->read_some(bytes));
        co_return second ? Status() : Status(second.error());
    };
    auto body = [&]() -> asio::awaitable<void> {
        auto said = [this]() -> asio::awaitable<Status> {
            const auto silent = co_await stream->within(5ms, stream->read_some(bytes));
            EXPECT_EQ(silent.error(), Fault::timed_out);
            say(1);
            const auto got = co_await stream->within(5s, stream->read_some(bytes));
            co_return got ? Status() : Status(got.error());
        };
        EXPECT_TRUE(co_await stream->within(5s, said()));
        const auto outer = co_await stream->within(5ms, twice(5s));
        EXPECT_EQ(outer.error(), Fault::timed_out);
        say(1);
        EXPECT_TRUE(co_await stream->within(5s, stream->read_some(bytes)));
    };
    test::run_test(io, body());
}

TEST_F(Limits, ACancelledOperationLeavesNoLimitBehind)
{
    TaskGroup tasks(io.get_executor());
    auto waits = [this]() -> asio::awaitable<void> {
        const auto got = co_await stream->within(1h, stream->read_some(bytes));
        EXPECT_EQ(got.error(), asio::error::operation_aborted);
    };
    tasks.spawn("waits", waits());
    io.restart();
    io.poll();
    tasks.cancel();
    io.restart();
    io.run();
    say(3);
    auto body = [this]() -> asio::awaitable<void> {
        EXPECT_EQ((co_await stream->read_some(bytes)).value(), 3U);
    };
    test::run_test(io, body());
}

}  // namespace
}  // namespace gateway
