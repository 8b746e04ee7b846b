#pragma once

#include "gateway/core/ids.hpp"
#include "gateway/core/lane.hpp"
#include "gateway/core/ranges.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>

namespace gateway {

/// A sequence of readings: one lane of one epoch.
struct LaneKey {
    EpochId epoch;
    Lane lane = Lane::telemetry;
    friend auto operator<=>(const LaneKey&,
                            const LaneKey&) = default;  // NOLINT(modernize-use-nullptr): false
};

/// What one session sent, and when it sends a batch again (protocol.md, section 5). A batch is sent
/// when the log does not hold it; withdrawing it means sending it again. No time is involved.
class SentLog {
public:
    /// A tombstone is another message than the readings that it stands for.
    void add(const LaneKey& key, Range range, std::size_t bytes, bool is_tombstone);
    bool contains(const LaneKey& key, Range range, bool is_tombstone) const;

    /// The platform has these. Batches inside are done with; those sent before one of them and not
    /// inside are holes, and are withdrawn: returns whether there were any.
    bool receipted(const LaneKey& key, const RangeSet& ranges);
    /// The batch was refused, replaced or asked for.
    void withdraw(const LaneKey& key, Range range);
    /// Everything that no receipt covers.
    void withdraw_all();

    std::size_t unreceipted_batches() const { return batches_; }
    std::size_t unreceipted_bytes() const { return bytes_; }

private:
    struct Batch {
        Range range;
        std::size_t bytes = 0;
        std::uint64_t turn = 0;  // when it was sent, as a count
        bool is_tombstone = false;
    };
    struct Sequence {
        RangeSet sent, sent_as_lost;
        std::map<std::uint64_t, Batch> unreceipted;  // by first
        std::uint64_t newest_receipted = 0;
    };
    using Place = std::map<std::uint64_t, Batch>::iterator;

    static void unsend(Sequence& sequence, Range range);
    Place forget(Sequence& sequence, Place batch);

    std::map<LaneKey, Sequence> sequences_;
    std::size_t batches_ = 0;
    std::size_t bytes_ = 0;
    std::uint64_t turn_ = 0;
};

}  // namespace gateway
