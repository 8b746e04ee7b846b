#pragma once

#include "gateway/store/stored.hpp"

#include <cstdint>
#include <map>
#include <vector>

namespace gateway {

/// What rows add to the counters of their lane.
struct Tally {
    std::uint64_t count = 0;
    std::uint64_t sum = 0;
    std::uint64_t tombstoned = 0;
    std::map<Quality, std::uint64_t> quality;
    std::map<Cause, std::uint64_t> cause;

    friend bool operator==(const Tally&, const Tally&) = default;
};

/// Of readings whose sequences begin with `first`.
Tally tally_of(const CompactReadings& readings, std::uint64_t first);
void add(Tally& total, const Tally& more);
void add(LaneCounters& counters, const Tally& tally);
void subtract(LaneCounters& counters, const Tally& tally);

// As bytes in a column. Reading tolerates any bytes: what is missing is zero.
Bytes pack_tally(const std::map<Quality, std::uint64_t>& quality,
                 const std::map<Cause, std::uint64_t>& cause);
void unpack_tally(ByteView bytes, std::map<Quality, std::uint64_t>& quality,
                  std::map<Cause, std::uint64_t>& cause);

}  // namespace gateway
