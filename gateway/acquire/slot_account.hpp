#pragma once

#include "gateway/acquire/sink.hpp"
#include "gateway/core/result.hpp"

namespace gateway {

/// The slots of one device: every one that passes is booked exactly once, so that expected = good +
/// other + suppressed + missed at any time (protocol.md, section 6).
class SlotAccount {
public:
    void stored(Lane lane, bool good)
    {
        auto& slots = open_[index_of(lane)];
        ++slots.expected;
        ++(good ? slots.good : slots.other);
    }
    void suppressed(Lane lane)
    {
        auto& slots = open_[index_of(lane)];
        ++slots.expected;
        ++slots.suppressed;
    }
    void missed(Lane lane, Cause cause, std::uint64_t count = 1);

    /// Gives the sink what was booked since the last time.
    void hand_over(Sink& sink);
    /// What was handed over, all lanes together.
    const SlotCounts& total() const { return total_; }

private:
    PerLane<SlotCounts> open_;
    SlotCounts total_;
};

/// Why the slots of a read that failed as a whole are missed.
Cause cause_of(const Error& error);

}  // namespace gateway
