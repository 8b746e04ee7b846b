#pragma once

#include "gateway/core/result.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <utility>

namespace gateway {

/// Wakes one waiting coroutine; a signal that comes before the wait is not lost. On the loop.
class Signal {
public:
    explicit Signal(const boost::asio::any_io_executor& executor) : timer_(executor) {}

    void notify()
    {
        signalled_ = true;
        timer_.cancel();
    }
    /// Returns at the signal, or after `limit`.
    boost::asio::awaitable<void> wait(std::chrono::steady_clock::duration limit)
    {
        if (!signalled_) {
            timer_.expires_after(limit);
            Error woken;
            co_await timer_.async_wait(
                boost::asio::redirect_error(boost::asio::use_awaitable, woken));
            if (woken && !signalled_) {
                throw boost::system::system_error(woken);  // cancelled by our owner
            }
        }
        signalled_ = false;
    }

private:
    boost::asio::steady_timer timer_;
    bool signalled_ = false;
};

}  // namespace gateway
