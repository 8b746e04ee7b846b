#include "gateway/runtime/system_clock.hpp"

#include "gateway/core/defect.hpp"
#include "gateway/runtime/timer_descriptor.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/system_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/timex.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <limits>
#include <system_error>
#include <utility>

namespace gateway {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto longest_nap = 1h;  // so that no far instant overflows the timer
// 2242, or as far as a 32-bit machine can count.
constexpr std::time_t far_future =
    std::min<std::int64_t>(std::int64_t{1} << 33, std::numeric_limits<std::time_t>::max());

std::chrono::nanoseconds read_clock(clockid_t which)
{
    timespec time{};
    clock_gettime(which, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

void ClockDiscipline::observe(int status, long max_error_us)
{
    const bool synced = status >= 0 && (status & STA_UNSYNC) == 0;
    if (synced) {
        state_ = ClockState::synced;
    } else if (state_ == ClockState::synced) {
        state_ = ClockState::holdover;
    }
    if (state_ != ClockState::unset && max_error_us >= 0) {
        const auto error_ms = (std::int64_t{max_error_us} + 999) / 1000;
        error_ms_ = static_cast<std::uint32_t>(std::min<std::int64_t>(error_ms, 0xFFFFFFFE));
    }
}

SystemClock::SystemClock(asio::any_io_executor executor, bool trusted)
    : executor_(std::move(executor)),
      step_(executor_, open_timer(CLOCK_REALTIME)),
      discipline_(trusted)
{
    arm();
}

Instant SystemClock::now() const
{
    return Instant(read_clock(CLOCK_BOOTTIME));
}

ClockReading SystemClock::wall() const
{
    const auto boot = now();
    const auto wall = read_clock(CLOCK_REALTIME);
    if (boot >= next_look_) {
        timex question{};  // no modes: asks, sets nothing
        const bool answered = adjtimex(&question) >= 0;
        discipline_.observe(answered ? question.status : -1, answered ? question.maxerror : -1);
        next_look_ = boot + 1s;
    }
    return {.wall = WallTime(std::chrono::floor<std::chrono::milliseconds>(wall)),
            .state = discipline_.state(),
            .error_ms = discipline_.error_ms()};
}

asio::awaitable<void> SystemClock::sleep_until(Instant wake)
{
    if (planted(Defect::wall_clock_waits)) {
        asio::system_timer by_wall(executor_, std::min<Duration>(wake - now(), longest_nap));
        co_await by_wall.async_wait(asio::use_awaitable);
    }
    asio::steady_timer timer(executor_);
    for (auto time = now(); time < wake; time = now()) {
        // It grows when the machine is suspended and never shrinks; the largest was the least late.
        // With one and the same, who wakes at one instant shares one setting of the timer.
        suspended_ = std::max(suspended_, time.time_since_epoch() -
                                              std::chrono::steady_clock::now().time_since_epoch());
        const auto end = std::min<Instant>(wake, time + longest_nap);
        timer.expires_at(
            std::chrono::steady_clock::time_point(end.time_since_epoch() - suspended_));
        co_await timer.async_wait(asio::use_awaitable);
    }
}

void SystemClock::arm()
{
    itimerspec when{};
    when.it_value.tv_sec = far_future;
    if (timerfd_settime(step_.native_handle(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &when,
                        nullptr) != 0) {
        throw std::system_error(errno, std::generic_category(), "timerfd_settime");
    }
}

asio::awaitable<void> SystemClock::wait_for_step()
{
    for (;;) {
        co_await step_.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
        std::uint64_t expirations = 0;
        const auto got = ::read(step_.native_handle(), &expirations, sizeof expirations);
        if (got < 0 && errno == EAGAIN) {
            continue;
        }
        arm();
        co_return;
    }
}

}  // namespace gateway
