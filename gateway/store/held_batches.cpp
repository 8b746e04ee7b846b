#include "gateway/store/held_batches.hpp"

#include "gateway/store/losses.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace gateway {

namespace {

/// In memory, of one transaction: it fits into the WAL that was grown ahead.
constexpr std::size_t most_slice_bytes = 1 << 20;
constexpr std::array sacrifice_in_memory{Lane::diagnostic, Lane::telemetry, Lane::billing,
                                         Lane::control, Lane::alarm};

}  // namespace

void HeldBatches::add(OpenBatches::Taken taken)
{
    memory_bytes_ += taken.memory_bytes();
    std::ranges::move(taken.items, std::back_inserter(batches_));
}

bool HeldBatches::has_losses() const
{
    return std::ranges::any_of(losses_, [](const auto& loss) { return loss.has_value(); });
}

HeldBatches::Slice HeldBatches::take()
{
    Slice slice;
    for (auto& loss : losses_) {
        if (loss) {
            slice.commit.losses.push_back(std::move(*loss));
            loss.reset();
        }
    }
    std::size_t size = 0;
    while (!batches_.empty() && size < most_slice_bytes) {
        auto& [batch, spool] = batches_.front();
        size += batch.readings.memory_bytes();
        slice.commit.batches.push_back(std::move(batch));
        slice.spool.push_back(std::move(spool));
        batches_.pop_front();
    }
    memory_bytes_ -= std::min(size, memory_bytes_);
    return slice;
}

void HeldBatches::put_back(Slice slice)
{
    for (auto& loss : slice.commit.losses) {
        losses_[index_of(loss.lane)] = std::move(loss);
    }
    auto& batches = slice.commit.batches;
    for (auto i = batches.size(); i-- > 0;) {
        memory_bytes_ += batches[i].readings.memory_bytes();
        batches_.push_front({std::move(batches[i]), std::move(slice.spool[i])});
    }
}

void HeldBatches::note_loss(const PendingBatch& batch)
{
    auto& loss = losses_[index_of(batch.lane)];
    if (!loss) {
        loss.emplace(PendingLoss{batch.lane, batch.opened, batch.clock, {}});
    }
    merge(loss->lost, loss_of(batch.readings));
    loss->lost.reason = LossReason::volatile_store;
}

std::uint64_t HeldBatches::shed(std::size_t most_bytes)
{
    std::uint64_t lost = 0;
    for (const auto lane : sacrifice_in_memory) {
        for (auto at = batches_.begin(); at != batches_.end() && memory_bytes_ > most_bytes;) {
            if (at->batch.lane != lane) {
                ++at;
                continue;
            }
            note_loss(at->batch);
            lost += at->batch.readings.size();
            memory_bytes_ -= std::min(at->batch.readings.memory_bytes(), memory_bytes_);
            if (at->spool) {
                at->spool->remove();
            }
            at = batches_.erase(at);
        }
    }
    return lost;
}

}  // namespace gateway
