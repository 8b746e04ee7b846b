#include "gateway/store/losses.hpp"

#include <algorithm>

namespace gateway {

namespace {

constexpr std::size_t most_counts = 256;

/// It says how many of each alias, or has nothing to say yet.
bool is_counted(const Tombstone& loss)
{
    return loss.count == 0 || !loss.counts.empty();
}

void add_count(std::vector<LossCount>& counts, const LossCount& more)
{
    const auto at = std::ranges::lower_bound(counts, more.alias, {}, &LossCount::alias);
    if (at != counts.end() && at->alias == more.alias) {
        at->count += more.count;
    } else {
        counts.insert(at, more);
    }
}

}  // namespace

void add_reading(Tombstone& loss, Alias alias, BootTime time)
{
    if (is_counted(loss)) {
        add_count(loss.counts, {alias, 1});
    }
    ++loss.count;
    loss.first_time = std::min(loss.first_time.value_or(time), time);
    loss.last_time = std::max(loss.last_time.value_or(time), time);
    if (loss.counts.size() > most_counts) {
        loss.counts.clear();  // half of them would be read as all
    }
}

Tombstone loss_of(const CompactReadings& readings)
{
    Tombstone loss;
    readings.for_each(
        [&](const Reading& reading) { add_reading(loss, reading.alias, reading.time); });
    return loss;
}

void merge(Tombstone& loss, const Tombstone& other)
{
    const bool counted = is_counted(loss) && !other.counts.empty();
    loss.count += other.count;
    if (other.first_time && (!loss.first_time || *other.first_time < *loss.first_time)) {
        loss.first_time = other.first_time;
    }
    if (other.last_time && (!loss.last_time || *other.last_time > *loss.last_time)) {
        loss.last_time = other.last_time;
    }
    for (const auto& lost : other.counts) {
        add_count(loss.counts, lost);
    }
    if (!counted || loss.counts.size() > most_counts) {
        loss.counts.clear();  // half of them would be read as all
    }
}

}  // namespace gateway
