#include "gateway/store/tally.hpp"

#include "gateway/core/digest.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace gateway {

namespace {

static_assert(std::endian::native == std::endian::little,
              "columns are written as they lie in memory");

/// A column of 64-bit numbers.
class Numbers {
public:
    void put(std::uint64_t number)
    {
        const auto raw = std::bit_cast<std::array<std::uint8_t, 8>>(number);
        bytes_.insert(bytes_.end(), raw.begin(), raw.end());
    }
    template <typename Key>
    void put(const std::map<Key, std::uint64_t>& counts)
    {
        put(counts.size());
        for (const auto& [key, count] : counts) {
            put(static_cast<std::uint64_t>(key));
            put(count);
        }
    }
    Bytes take() { return std::move(bytes_); }

private:
    Bytes bytes_;
};

class NumberReader {
public:
    explicit NumberReader(ByteView bytes) : bytes_(bytes) {}

    bool at_end() const { return bytes_.size() < 8; }
    std::uint64_t next()
    {
        std::uint64_t number = 0;
        if (!at_end()) {
            std::memcpy(&number, bytes_.data(), 8);
            bytes_ = bytes_.subspan(8);
        }
        return number;
    }
    template <typename Key>
    std::map<Key, std::uint64_t> counts()
    {
        std::map<Key, std::uint64_t> read;
        for (auto left = next(); left > 0 && !at_end(); --left) {
            const auto key = static_cast<Key>(next());
            read[key] = next();
        }
        return read;
    }

private:
    ByteView bytes_;
};

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

void add(LaneCounters& counters, const Tally& tally)
{
    counters.count += tally.count;
    counters.sum += tally.sum;
    add_counts(counters.quality, tally.quality);
    add_counts(counters.cause, tally.cause);
}

void subtract(LaneCounters& counters, const Tally& tally)
{
    counters.count -= std::min(tally.count, counters.count);
    counters.sum -= tally.sum;
    subtract_counts(counters.quality, tally.quality);
    subtract_counts(counters.cause, tally.cause);
}

Bytes pack_tally(const std::map<Quality, std::uint64_t>& quality,
                 const std::map<Cause, std::uint64_t>& cause)
{
    Numbers numbers;
    numbers.put(quality);
    numbers.put(cause);
    return numbers.take();
}

void unpack_tally(ByteView bytes, std::map<Quality, std::uint64_t>& quality,
                  std::map<Cause, std::uint64_t>& cause)
{
    NumberReader reader(bytes);
    quality = reader.counts<Quality>();
    cause = reader.counts<Cause>();
}

Bytes pack_slots(const SlotCounts& slots)
{
    Numbers numbers;
    for (const auto count : {slots.expected, slots.good, slots.other, slots.suppressed}) {
        numbers.put(count);
    }
    numbers.put(slots.missed);
    return numbers.take();
}

SlotCounts unpack_slots(ByteView bytes)
{
    NumberReader reader(bytes);
    SlotCounts slots;
    slots.expected = reader.next();
    slots.good = reader.next();
    slots.other = reader.next();
    slots.suppressed = reader.next();
    slots.missed = reader.counts<Cause>();
    return slots;
}

Bytes pack_ranges(const RangeSet& ranges)
{
    Numbers numbers;
    for (const auto& range : ranges.ranges()) {
        numbers.put(range.first);
        numbers.put(range.last);
    }
    return numbers.take();
}

RangeSet unpack_ranges(ByteView bytes)
{
    NumberReader reader(bytes);
    RangeSet ranges;
    while (!reader.at_end()) {
        const auto first = reader.next();
        ranges.add({first, reader.next()});
    }
    return ranges;
}

}  // namespace gateway
