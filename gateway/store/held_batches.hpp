#pragma once

#include "gateway/store/open_batches.hpp"

#include <deque>

namespace gateway {

/// Batches that are due and not durable yet, in memory and in the spool. While no store takes them
/// they are a bounded ring: the oldest of the lowest lane goes first, alarms last, and what went is
/// declared lost (`volatile`) in front of what follows it in its lane.
class HeldBatches {
public:
    void add(OpenBatches::Taken taken);
    bool empty() const { return batches_.empty() && !has_losses(); }
    std::size_t memory_bytes() const { return memory_bytes_; }

    struct Slice {
        Commit commit;
        std::vector<std::optional<SpoolFile>> spool;  ///< one for each batch
    };
    /// The oldest, for one transaction.
    Slice take();
    /// The slice was not committed.
    void put_back(Slice slice);
    /// Gives up readings until at most `most_bytes` are held; how many.
    std::uint64_t shed(std::size_t most_bytes);

private:
    bool has_losses() const;
    void note_loss(const PendingBatch& batch);

    std::deque<OpenBatches::Taken::Item> batches_;
    PerLane<std::optional<PendingLoss>> losses_;
    std::size_t memory_bytes_ = 0;
};

}  // namespace gateway
