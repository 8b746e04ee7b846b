#include "gateway/uplink/sent_log.hpp"

#include <algorithm>
#include <iterator>

namespace gateway {

void SentLog::add(const LaneKey& key, Range range, std::size_t bytes, bool is_tombstone)
{
    withdraw(key, range);
    auto& sequence = sequences_[key];
    sequence.sent.add(range);
    if (is_tombstone) {
        sequence.sent_as_lost.add(range);
    }
    sequence.unreceipted.insert_or_assign(range.first, Batch{range, bytes, ++turn_, is_tombstone});
    ++batches_;
    bytes_ += bytes;
}

bool SentLog::contains(const LaneKey& key, Range range, bool is_tombstone) const
{
    const auto found = sequences_.find(key);
    return found != sequences_.end() &&
           (is_tombstone ? found->second.sent_as_lost : found->second.sent).contains(range);
}

void SentLog::unsend(Sequence& sequence, Range range)
{
    sequence.sent.remove(range);
    sequence.sent_as_lost.remove(range);
}

SentLog::Place SentLog::forget(Sequence& sequence, Place batch)
{
    --batches_;
    bytes_ -= batch->second.bytes;
    return sequence.unreceipted.erase(batch);
}

bool SentLog::receipted(const LaneKey& key, const RangeSet& ranges)
{
    const auto found = sequences_.find(key);
    if (found == sequences_.end()) {
        return false;
    }
    auto& sequence = found->second;
    for (auto batch = sequence.unreceipted.begin(); batch != sequence.unreceipted.end();) {
        if (ranges.contains(batch->second.range)) {
            // A receipt for a tombstone may be one for the readings, and older.
            const auto turn = batch->second.is_tombstone ? 0 : batch->second.turn;
            sequence.newest_receipted = std::max(sequence.newest_receipted, turn);
            batch = forget(sequence, batch);
        } else {
            ++batch;
        }
    }
    bool holes = false;
    for (auto batch = sequence.unreceipted.begin(); batch != sequence.unreceipted.end();) {
        if (batch->second.turn < sequence.newest_receipted) {
            unsend(sequence, batch->second.range);
            batch = forget(sequence, batch);
            holes = true;
        } else {
            ++batch;
        }
    }
    return holes;
}

void SentLog::withdraw(const LaneKey& key, Range range)
{
    const auto found = sequences_.find(key);
    if (found == sequences_.end()) {
        return;
    }
    auto& sequence = found->second;
    unsend(sequence, range);
    // From the last batch that begins before the range, which may reach into it.
    auto batch = sequence.unreceipted.lower_bound(range.first);
    if (batch != sequence.unreceipted.begin()) {
        batch = std::prev(batch);
    }
    while (batch != sequence.unreceipted.end() && batch->first <= range.last) {
        if (batch->second.range.last < range.first) {
            ++batch;
            continue;
        }
        unsend(sequence, batch->second.range);
        batch = forget(sequence, batch);
    }
}

void SentLog::withdraw_all()
{
    for (auto& [key, sequence] : sequences_) {
        for (auto batch = sequence.unreceipted.begin(); batch != sequence.unreceipted.end();) {
            unsend(sequence, batch->second.range);
            batch = forget(sequence, batch);
        }
    }
}

}  // namespace gateway
