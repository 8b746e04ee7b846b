#include "gateway/store/losses.hpp"

#include <algorithm>

namespace gateway {

namespace {

constexpr std::size_t most_counts = 256;

}  // namespace

Tombstone loss_of(const CompactReadings& readings)
{
    Tombstone loss;
    loss.count = readings.size();
    readings.for_each([&](const Reading& reading) {
        loss.first_time = std::min(loss.first_time.value_or(reading.time), reading.time);
        loss.last_time = std::max(loss.last_time.value_or(reading.time), reading.time);
    });
    std::vector<std::uint32_t> aliases(readings.alias().begin(), readings.alias().end());
    std::ranges::sort(aliases);
    for (const auto packed : aliases) {
        const auto alias = Alias::from(packed);
        if (loss.counts.empty() || loss.counts.back().alias != alias) {
            loss.counts.push_back({alias, 0});
        }
        ++loss.counts.back().count;
    }
    return loss;
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
