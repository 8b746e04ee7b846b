#pragma once

#include "gateway/core/reading.hpp"

#include <cstdint>
#include <optional>

namespace gateway {

/// How much longer than configured batches stay open so that the flash lasts. Each day has an
/// allowance of bytes, which may be written at once; while it is used up, batches are made to wait
/// until less is written than the day allows. Never more than `most` times the interval: what waits
/// is what a power cut takes.
class Stretch {
public:
    static constexpr double most = 6;

    /// 0: no limit, nothing is stretched.
    explicit Stretch(std::uint64_t bytes_per_day);

    /// `written` counts on from call to call. The factor from now on, 1 to `most`.
    double update(std::uint64_t written, Instant now);
    double factor() const { return factor_; }

private:
    struct Look {
        std::uint64_t written;
        Instant when;
    };

    double bytes_per_day_;
    double allowance_;  ///< what may be written before it is too much
    double factor_ = 1;
    std::optional<Look> last_;
};

}  // namespace gateway
