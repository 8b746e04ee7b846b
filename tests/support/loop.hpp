#pragma once

#include "gateway/core/result.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <utility>

namespace gateway::test {

/// Runs the loop until the test's coroutine has ended; a failure when that takes over `limit`.
inline void run_test(boost::asio::io_context& loop, boost::asio::awaitable<void> body,
                     std::chrono::seconds limit = std::chrono::seconds(30))
{
    bool ended = false;
    std::exception_ptr thrown;
    boost::asio::co_spawn(loop, std::move(body), [&](std::exception_ptr failure) {
        ended = true;
        thrown = failure;
    });
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!ended && std::chrono::steady_clock::now() < deadline) {
        loop.restart();
        loop.run_one_for(std::chrono::milliseconds(50));
    }
    EXPECT_TRUE(ended) << "the test did not end in time";
    if (thrown) {
        std::rethrow_exception(thrown);
    }
}

/// What `task` returned when the loop had run it to its end.
template <typename T>
T outcome_of(boost::asio::io_context& loop, boost::asio::awaitable<T> task)
{
    std::optional<T> got;
    auto body = [&]() -> boost::asio::awaitable<void> { got.emplace(co_await std::move(task)); };
    run_test(loop, body());
    return std::move(got).value();
}

/// Waits on the loop until `holds`; false when that takes over `limit`.
inline boost::asio::awaitable<bool> eventually(
    std::function<bool()> holds, std::chrono::milliseconds limit = std::chrono::seconds(10))
{
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > deadline) {
            co_return false;
        }
        timer.expires_after(std::chrono::milliseconds(2));
        co_await timer.async_wait(boost::asio::use_awaitable);
    }
    co_return true;
}

}  // namespace gateway::test
