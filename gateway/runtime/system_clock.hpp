#pragma once

#include "gateway/runtime/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

namespace gateway {

/// What the kernel says of the wall clock, over time: unset until it was synchronised once in this
/// process, holdover when it no longer is.
class ClockDiscipline {
public:
    /// `trusted`: holdover from the start, for a clock set by means that the kernel is not told of.
    explicit ClockDiscipline(bool trusted = false)
        : state_(trusted ? ClockState::holdover : ClockState::unset)
    {
    }

    /// `status` and `max_error_us` as adjtimex(2) gives them; -1 when it is not allowed.
    void observe(int status, long max_error_us);
    ClockState state() const { return state_; }
    std::uint32_t error_ms() const { return error_ms_; }

private:
    ClockState state_;
    std::uint32_t error_ms_ = ClockReading{}.error_ms;
};

/// The machine's clocks: CLOCK_BOOTTIME and CLOCK_REALTIME. The state of the wall clock is asked
/// for at most once a second, so a reading of it costs no more than two clock reads.
class SystemClock final : public Clock {
public:
    explicit SystemClock(boost::asio::any_io_executor executor, bool trusted = false);

    Instant now() const override;
    ClockReading wall() const override;
    boost::asio::awaitable<void> sleep_until(Instant wake) override;

    /// Returns when the wall clock was set, also when that was between two calls. One waiter.
    boost::asio::awaitable<void> wait_for_step();

private:
    void arm();

    boost::asio::any_io_executor executor_;
    Duration suspended_ = Duration::min();  // since the start of the machine
    boost::asio::posix::stream_descriptor step_;
    mutable ClockDiscipline discipline_;
    mutable Instant next_look_{};
};

}  // namespace gateway
