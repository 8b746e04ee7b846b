#include "gateway/runtime/deadline.hpp"

#include "gateway/runtime/timer_descriptor.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/query.hpp>
#include <boost/intrusive/set.hpp>

#include <algorithm>
#include <ctime>
#include <optional>
#include <utility>

namespace gateway {

namespace asio = boost::asio;

namespace {

using Time = TimeLimit::Clock::time_point;

constexpr auto never = Time::max();

}  // namespace

/// The limits of one loop. An Asio timer leaves the one of the operating system set when nobody
/// waits for it any more; this one is taken back with the last limit.
class TimeLimits final : public asio::execution_context::service {
public:
    using key_type = TimeLimits;
    static asio::execution_context::id id;

    explicit TimeLimits(asio::execution_context& context) : service(context) {}

    void add(const asio::any_io_executor& executor, TimeLimit& limit)
    {
        if (!timer_) {
            timer_.emplace(executor, open_timer(CLOCK_MONOTONIC));  // that TimeLimit::Clock reads
        }
        limits_.insert(limit);
        if (limit.end_ < set_for_) {
            set(limit.end_);
        }
        wait();
    }

    void remove(TimeLimit& limit)
    {
        limits_.erase(limits_.iterator_to(limit));
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
        while (!limits_.empty() && limits_.begin()->end_ <= now) {
            auto& limit = *limits_.begin();
            limits_.erase(limits_.begin());
            limit.pass_();
        }
        set(limits_.empty() ? never : limits_.begin()->end_);
    }

    struct EndOf {
        using type = Time;
        Time operator()(const TimeLimit& limit) const { return limit.end_; }
    };

    std::optional<asio::posix::stream_descriptor> timer_;
    bool waits_ = false;
    Time set_for_ = never;
    boost::intrusive::multiset<TimeLimit, boost::intrusive::key_of_value<EndOf>> limits_;
};

asio::execution_context::id TimeLimits::id;

TimeLimit::TimeLimit(const asio::any_io_executor& executor, Clock::duration length,
                     std::function<void()> pass)
    : all_(asio::use_service<TimeLimits>(asio::query(executor, asio::execution::context))),
      pass_(std::move(pass))
{
    const auto now = Clock::now();
    end_ = length < never - now ? now + length : never;
    all_.add(executor, *this);
}

TimeLimit::~TimeLimit()
{
    if (!has_passed()) {
        all_.remove(*this);
    }
}

}  // namespace gateway
