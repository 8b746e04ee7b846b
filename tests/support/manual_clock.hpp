#pragma once

#include "gateway/runtime/clock.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <list>

namespace gateway {

/// Time that moves only when a test says so. The wall clock starts unset.
class ManualClock final : public Clock {
public:
    explicit ManualClock(boost::asio::io_context& io) : io_(io) {}

    Instant now() const override { return now_; }
    ClockReading wall() const override
    {
        const auto wall = std::chrono::floor<std::chrono::milliseconds>(now_ - Instant{}) + offset_;
        return {.wall = WallTime(wall),
                .state = state_,
                .error_ms = state_ == ClockState::synced ? 5U : 0xFFFFFFFFU};
    }

    /// Sets the wall clock.
    void set_wall(WallTime wall, ClockState state)
    {
        offset_ = wall.time_since_epoch() -
                  std::chrono::floor<std::chrono::milliseconds>(now_ - Instant{});
        state_ = state;
    }

    boost::asio::awaitable<void> sleep_until(Instant wake) override
    {
        while (now_ < wake) {
            Sleeper sleeper(*this, wake);
            co_await sleeper.timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
        }
    }

    /// One jump, as after a suspend: whoever waits sees only the end of it.
    void jump(Duration by)
    {
        now_ += by;
        for (auto* sleeper : sleepers_) {
            sleeper->timer.cancel();
        }
        io_.restart();
        io_.poll();
    }

    /// Time passes: every sleeper wakes at its own instant, in order.
    void advance(Duration by)
    {
        const auto end = now_ + by;
        jump(Duration::zero());
        for (auto next = earliest(); next <= end; next = earliest()) {
            jump(next - now_);
        }
        jump(end - now_);
    }

private:
    struct Sleeper {
        Sleeper(ManualClock& owner, Instant until)
            : clock(owner),
              wake(until),
              timer(owner.io_, boost::asio::steady_timer::time_point::max()),
              place(owner.sleepers_.insert(owner.sleepers_.end(), this))
        {
        }
        Sleeper(const Sleeper&) = delete;
        Sleeper& operator=(const Sleeper&) = delete;
        ~Sleeper() { clock.sleepers_.erase(place); }

        ManualClock& clock;
        Instant wake;
        boost::asio::steady_timer timer;
        std::list<Sleeper*>::iterator place;
    };

    Instant earliest() const
    {
        auto first = Instant::max();
        for (const auto* sleeper : sleepers_) {
            first = std::min(first, sleeper->wake);
        }
        return first;
    }

    boost::asio::io_context& io_;
    Instant now_{};
    std::chrono::milliseconds offset_{};
    ClockState state_ = ClockState::unset;
    std::list<Sleeper*> sleepers_;
};

}  // namespace gateway
