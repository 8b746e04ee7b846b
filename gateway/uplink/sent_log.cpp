#include "gateway/uplink/sent_log.hpp"

#include <algorithm>
#include <iterator>

namespace gateway {

void SentLog::add(const LaneKey& key, Range range, std::size_t bytes)
{
    withdraw(key, range);
    auto& sequence = sequences_[key];
    sequence.sent.add(range);
    sequence.unreceipted.insert_or_assign(range.first, Batch{range, bytes, ++turn_});
    ++batches_;
    bytes_ += bytes;
}

bool SentLog::contains(const LaneKey& key, Range range) const
{
    const auto found = sequences_.find(key);
    return found != sequences_.end() && found->second.sent.contains(range);
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
            sequence.newest_receipted = std::max(sequence.newest_receipted, batch->second.turn);
            batch = forget(sequence, batch);
        } else {
            ++batch;
        }
    }
    bool holes = false;
    for (auto batch = sequence.unreceipted.begin(); batch != sequence.unreceipted.end();) {
        if (batch->second.turn < sequence.newest_receipted) {
            sequence.sent.remove(batch->second.range);
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
    sequence.sent.remove(range);
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
        sequence.sent.remove(batch->second.range);
        batch = forget(sequence, batch);
    }
}

void SentLog::withdraw_all()
{
    for (auto& [key, sequence] : sequences_) {
        for (auto batch = sequence.unreceipted.begin(); batch != sequence.unreceipted.end();) {
            sequence.sent.remove(batch->second.range);
            batch = forget(sequence, batch);
        }
    }
}

}  // namespace gateway
