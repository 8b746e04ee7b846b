#pragma once

#include "gateway/core/reading.hpp"

#include <algorithm>
#include <cstdint>

namespace gateway {

/// Slows the polling of a device that does not answer: after three failures in a row the pause
/// doubles from one period up to `longest`. A device with a longer period keeps it.
class Breaker {
public:
    /// `seed`: different per device, so that the probes of many dead ones on a bus spread out.
    Breaker(Duration period, Duration longest, std::uint64_t seed)
        : period_(period), longest_(longest), share_(static_cast<std::int64_t>(seed % 256))
    {
    }

    /// `longest`: of this pause; a probe that costs the neighbours nothing need not be rare.
    void failed(Instant now, Duration longest = Duration::max())
    {
        ++failures_;
        longest = std::min(longest, longest_);
        probe_at_ = Instant::min();
        if (!is_open() || period_ >= longest) {
            return;
        }
        const auto doublings = std::min(failures_ - most_failures + 1, 20U);
        const auto pause = std::min(period_ * (std::int64_t{1} << doublings), longest);
        probe_at_ = now + pause - pause / 1024 * share_;  // 75 % to all of it
    }
    void succeeded()
    {
        failures_ = 0;
        probe_at_ = Instant::min();
    }
    unsigned failures() const { return failures_; }  ///< in a row
    bool is_open() const { return failures_ >= most_failures; }
    /// No read before this; in the past while the breaker is closed.
    Instant probe_at() const { return probe_at_; }

private:
    static constexpr unsigned most_failures = 3;

    Duration period_, longest_;
    std::int64_t share_;
    unsigned failures_ = 0;
    Instant probe_at_ = Instant::min();
};

}  // namespace gateway
