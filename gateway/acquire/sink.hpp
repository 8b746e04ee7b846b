#pragma once

#include "gateway/core/reading.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <map>
#include <span>

namespace gateway {

/// What became of due points (protocol.md, section 6): expected = good + other + suppressed + all
/// missed.
struct SlotCounts {
    std::uint64_t expected = 0;
    std::uint64_t good = 0;        ///< stored with quality good
    std::uint64_t other = 0;       ///< stored with another quality
    std::uint64_t suppressed = 0;  ///< not stored, by the point's report rule
    std::map<Cause, std::uint64_t> missed;
};

/// Where checked readings go. Called on the loop.
class Sink {
public:
    Sink() = default;
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;
    virtual ~Sink() = default;

    /// False while open batches hold their 4 MB: then supervisors wait and slots are missed with
    /// `store_slow`.
    virtual bool has_room() const = 0;
    virtual boost::asio::awaitable<void> wait_for_room() = 0;
    /// On return the readings are accepted: they survive a killed process. All of one lane, in
    /// acquisition order.
    virtual void accept(Lane lane, std::span<const Reading> readings) = 0;
    virtual void count(Lane lane, const SlotCounts& slots) = 0;
    /// Readings of one point that come closer after the last stored one are not to be given: their
    /// slots are missed with `thinned`. Zero: all are taken.
    virtual Duration least_distance(Lane /*lane*/) const { return {}; }
};

}  // namespace gateway
