#pragma once

#include "gateway/core/result.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/intrusive/set_hook.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <utility>

namespace gateway {

class TimeLimits;

/// Calls `pass` once `length` is over, unless it is destroyed before. On the loop. Asks for no
/// memory.
///
/// All limits of a loop share one timer, which is not left to go off for a limit that was kept: a
/// wake for nothing is much of what a box costs that reads a few sensors a second.
class TimeLimit : public boost::intrusive::set_base_hook<> {
public:
    using Clock = std::chrono::steady_clock;

    TimeLimit(const boost::asio::any_io_executor& executor, Clock::duration length,
              std::function<void()> pass);
    TimeLimit(const TimeLimit&) = delete;
    TimeLimit& operator=(const TimeLimit&) = delete;
    ~TimeLimit();

    bool has_passed() const { return !is_linked(); }

private:
    friend class TimeLimits;

    TimeLimits& all_;
    std::function<void()> pass_;
    Clock::time_point end_;
};

/// Runs `operation` and cancels it when `limit` passes.
template <typename T>
boost::asio::awaitable<Result<T>> with_deadline(boost::asio::awaitable<Result<T>> operation,
                                                TimeLimit::Clock::duration limit)
{
    namespace asio = boost::asio;
    struct Stop {
        void operator()(asio::cancellation_type type) { signal.emit(type); }

        asio::cancellation_signal signal;
    };
    const auto executor = co_await asio::this_coro::executor;
    const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
    asio::cancellation_slot owner = state.slot();
    // Where there is an owner it lies in the owner's slot, which is emptied when the operation
    // ends.
    Stop unowned;
    auto& stop = owner.is_connected() ? owner.emplace<Stop>() : unowned;
    const TimeLimit running(executor, limit,
                            [&stop] { stop.signal.emit(asio::cancellation_type::all); });
    auto [thrown, result] = co_await asio::co_spawn(
        executor, std::move(operation),
        asio::bind_cancellation_slot(stop.signal.slot(), asio::as_tuple(asio::use_awaitable)));
    if (running.has_passed()) {
        co_return Fault::timed_out;
    }
    if (thrown) {
        std::rethrow_exception(thrown);
    }
    co_return std::move(result);
}

}  // namespace gateway
