#pragma once

#include "gateway/acquire/sink.hpp"
#include "gateway/core/ranges.hpp"
#include "gateway/store/batch.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace gateway {

/// A row of the outbox as it is sent. The bytes are shared by the forwarder and whoever tails the
/// store; they never change.
struct StoredBatch {
    std::uint32_t epoch_number = 0;  ///< ascending with time in this store
    EpochId epoch;
    Lane lane = Lane::telemetry;
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    bool tombstone = false;
    std::shared_ptr<const Bytes> bytes;

    Range range() const { return {first, first + count - 1}; }
};

/// What rows add to the counters of their lane.
struct Tally {
    std::uint64_t count = 0;  ///< readings not tombstoned
    std::uint64_t sum = 0;
    std::uint64_t tombstoned = 0;
    std::map<Quality, std::uint64_t> quality;
    std::map<Cause, std::uint64_t> cause;
};

/// The counters of a manifest for one (epoch, lane).
struct LaneCounters : Tally {
    std::uint64_t head = 0;  ///< highest sequence given; 0: none
    std::uint64_t first_held =
        0;  ///< lowest still stored or to be sent; head + 1 when all is delivered
    std::uint64_t queued = 0;  ///< readings in rows still held (tombstones not counted)
    SlotCounts slots;
};

struct EpochState {
    std::uint32_t number = 0;
    EpochId id;
    BootId boot;
    bool closed = false;
    bool salvaged = false;  ///< of a store that was set aside: rows may still come, none is added
    PerLane<LaneCounters> lanes;
};

/// One slice of the salvage of stores that were set aside.
struct SalvageStep {
    enum class Next : std::uint8_t { later, at_once, none };
    Next next = Next::later;          ///< when the next slice is due; none: there is nothing to do
    std::vector<StoredBatch> stored;  ///< came over, or was declared lost
    bool epochs_changed = false;
};

/// An instant, and what the machine believed of the wall clock at it.
struct Moment {
    BootTime boot;
    ClockReading clock;
};

/// Readings of one lane that are to be committed: given their sequences, encoded and stored.
struct PendingBatch {
    Lane lane = Lane::telemetry;
    BootTime opened;
    ClockReading clock;
    std::vector<DictionaryRef> dictionaries;
    CompactReadings readings;
};

/// Readings of one lane that were accepted and given up before they could be committed.
struct PendingLoss {
    Lane lane = Lane::telemetry;
    BootTime opened;
    ClockReading clock;
    Tombstone lost;
};

struct Commit {
    std::vector<PendingBatch> batches;
    PerLane<SlotCounts> slots;             ///< since the last commit
    std::vector<PendingLoss> losses = {};  ///< from before the batches; at most one a lane
};

/// Adds `more` to `total`.
void add(SlotCounts& total, const SlotCounts& more);

}  // namespace gateway
