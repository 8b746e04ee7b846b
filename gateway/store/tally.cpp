#include "gateway/store/tally.hpp"

#include "gateway/core/digest.hpp"
#include "gateway/store/numbers.hpp"

#include <algorithm>

namespace gateway {

namespace {

template <typename Key>
void add_counts(std::map<Key, std::uint64_t>& total, const std::map<Key, std::uint64_t>& more)
{
    for (const auto& [key, count] : more) {
        total[key] += count;
    }
}

template <typename Key>
void subtract_counts(std::map<Key, std::uint64_t>& total, const std::map<Key, std::uint64_t>& less)
{
    for (const auto& [key, count] : less) {
        if (const auto at = total.find(key); at != total.end()) {
            at->second -= std::min(count, at->second);
            if (at->second == 0) {
                total.erase(at);
            }
        }
    }
}

}  // namespace

void add(SlotCounts& total, const SlotCounts& more)
{
    total.expected += more.expected;
    total.good += more.good;
    total.other += more.other;
    total.suppressed += more.suppressed;
    add_counts(total.missed, more.missed);
}

Tally tally_of(const CompactReadings& readings, std::uint64_t first)
{
    Tally tally;
    tally.count = readings.size();
    readings.for_each([&, sequence = first](const Reading& reading) mutable {
        tally.sum += mix(sequence++, reading);
    });
    for (const auto quality : readings.quality()) {
        ++tally.quality[quality];
    }
    if (readings.quality().empty()) {
        tally.quality[Quality::good] = tally.count;
    }
    for (const auto cause : readings.cause()) {
        if (cause != Cause::none) {
            ++tally.cause[cause];
        }
    }
    return tally;
}

void add(Tally& total, const Tally& more)
{
    total.count += more.count;
    total.sum += more.sum;
    total.tombstoned += more.tombstoned;
    add_counts(total.quality, more.quality);
    add_counts(total.cause, more.cause);
}

void subtract(Tally& total, const Tally& less)
{
    total.count -= std::min(less.count, total.count);
    total.sum -= less.sum;
    total.tombstoned -= std::min(less.tombstoned, total.tombstoned);
    subtract_counts(total.quality, less.quality);
    subtract_counts(total.cause, less.cause);
}

Bytes pack_tally(const std::map<Quality, std::uint64_t>& quality,
                 const std::map<Cause, std::uint64_t>& cause)
{
    return Numbers().put(quality).put(cause).take();
}

void unpack_tally(ByteView bytes, std::map<Quality, std::uint64_t>& quality,
                  std::map<Cause, std::uint64_t>& cause)
{
    NumberReader reader(bytes);
    quality = reader.counts<Quality>();
    cause = reader.counts<Cause>();
}

}  // namespace gateway
