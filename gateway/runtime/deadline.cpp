#include "gateway/runtime/deadline.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/query.hpp>

#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <optional>
#include <system_error>
#include <utility>

namespace gateway {

namespace asio = boost::asio;

namespace {

using Time = TimeLimit::Clock::time_point;

constexpr auto never = Time::max();

/// Of the clock that TimeLimit::Clock reads.
int open_monotonic_timer()
{
    const int descriptor = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (descriptor < 0) {
        throw std::system_error(errno, std::generic_category(), "timerfd_create");
    }
    return descriptor;
}

}  // namespace

/// The limits of one loop. An Asio timer leaves the one of the operating system set when nobody
/// waits for it any more; this one is taken back with the last limit.
class TimeLimits final : public asio::execution_context::service {
public:
    using key_type = TimeLimits;
    static asio::execution_context::id id;

    explicit TimeLimits(asio::execution_context& context) : service(context) {}

    auto add(const asio::any_io_executor& executor, Time end, TimeLimit& limit)
    {
        if (!timer_) {
            timer_.emplace(executor, open_monotonic_timer());
        }
        const auto place = limits_.emplace(end, &limit);
        if (end < set_for_) {
            set(end);
        }
        wait();
        return place;
    }

    void remove(std::multimap<Time, TimeLimit*>::iterator place)
    {
        limits_.erase(place);
        if (limits_.empty() && timer_) {
            set(never);
            timer_->cancel();
        }
    }

private:
    void shutdown() override { timer_.reset(); }

    void wait()
    {
        if (limits_.empty() || std::exchange(waits_, true)) {
            return;
        }
        timer_->async_wait(asio::posix::stream_descriptor::wait_read, [this](const Error& error) {
            waits_ = false;
            if (!error) {
                pass();
            }
            wait();
        });
    }

    void set(Time when)
    {
        set_for_ = when;
        itimerspec until{};
        if (when != never) {
            const auto length = std::max(when.time_since_epoch(), Time::duration(1));
            const auto seconds = std::chrono::floor<std::chrono::duration<std::time_t>>(length);
            const std::chrono::duration<long, std::nano> rest(length - seconds);
            until.it_value = {seconds.count(), rest.count()};
        }
        // It fails only for what is no timer.
        timerfd_settime(timer_->native_handle(), TFD_TIMER_ABSTIME, &until, nullptr);
    }

    void pass()
    {
        const auto now = TimeLimit::Clock::now();
        while (!limits_.empty() && limits_.begin()->first <= now) {
            auto& limit = *limits_.begin()->second;
            limits_.erase(limits_.begin());
            limit.has_passed_ = true;
            limit.pass_();
        }
        set(limits_.empty() ? never : limits_.begin()->first);
    }

    std::optional<asio::posix::stream_descriptor> timer_;
    bool waits_ = false;
    Time set_for_ = never;
    std::multimap<Time, TimeLimit*> limits_;
};

asio::execution_context::id TimeLimits::id;

TimeLimit::TimeLimit(const asio::any_io_executor& executor, Clock::duration length,
                     std::function<void()> pass)
    : all_(asio::use_service<TimeLimits>(asio::query(executor, asio::execution::context))),
      pass_(std::move(pass))
{
    const auto now = Clock::now();
    place_ = all_.add(executor, length < never - now ? now + length : never, *this);
}

TimeLimit::~TimeLimit()
{
    if (!has_passed_) {
        all_.remove(place_);
    }
}

}  // namespace gateway
