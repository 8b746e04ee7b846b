#pragma once

#include "gateway/core/result.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <exception>
#include <utility>

namespace gateway {

/// Runs `operation` and cancels it when `limit` passes.
template <typename T>
boost::asio::awaitable<Result<T>> with_deadline(boost::asio::awaitable<Result<T>> operation,
                                                std::chrono::steady_clock::duration limit)
{
    namespace asio = boost::asio;
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor, limit);
    auto group = asio::experimental::make_parallel_group(
        asio::co_spawn(executor, std::move(operation), asio::deferred),
        timer.async_wait(asio::deferred));
    auto [order, thrown, result, timer_error] =
        co_await group.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    const bool operation_finished_first = order[0] == 0;
    if (!operation_finished_first && !timer_error) {
        co_return Fault::timed_out;
    }
    if (thrown) {
        std::rethrow_exception(thrown);
    }
    co_return result;
}

}  // namespace gateway
