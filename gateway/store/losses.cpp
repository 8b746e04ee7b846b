#include "gateway/store/losses.hpp"

#include <algorithm>

namespace gateway {

namespace {

constexpr std::size_t most_counts = 256;

}  // namespace

void LossTally::add(Alias alias, BootTime time)
{
    ++loss_.count;
    loss_.first_time = std::min(loss_.first_time.value_or(time), time);
    loss_.last_time = std::max(loss_.last_time.value_or(time), time);
    if (!is_counted_) {
        return;
    }
    auto& counts = loss_.counts;
    const auto at = std::ranges::lower_bound(counts, alias, {}, &LossCount::alias);
    if (at != counts.end() && at->alias == alias) {
        ++at->count;
    } else if (counts.size() < most_counts) {
        counts.insert(at, {alias, 1});
    } else {
        counts.clear();  // half of them would be read as all
        is_counted_ = false;
    }
}

Tombstone loss_of(const CompactReadings& readings)
{
    LossTally tally;
    readings.for_each([&](const Reading& reading) { tally.add(reading.alias, reading.time); });
    return tally.take();
}

void merge(Tombstone& loss, const Tombstone& other)
{
    const bool counted = (loss.count == 0 || !loss.counts.empty()) && !other.counts.empty();
    loss.count += other.count;
    if (other.first_time && (!loss.first_time || *other.first_time < *loss.first_time)) {
        loss.first_time = other.first_time;
    }
    if (other.last_time && (!loss.last_time || *other.last_time > *loss.last_time)) {
        loss.last_time = other.last_time;
    }
    for (const auto& lost : other.counts) {
        const auto at = std::ranges::lower_bound(loss.counts, lost.alias, {}, &LossCount::alias);
        if (at != loss.counts.end() && at->alias == lost.alias) {
            at->count += lost.count;
        } else {
            loss.counts.insert(at, lost);
        }
    }
    if (!counted || loss.counts.size() > most_counts) {
        loss.counts.clear();  // half of them would be read as all
    }
}

}  // namespace gateway
