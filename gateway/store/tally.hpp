#pragma once

#include "gateway/store/stored.hpp"

#include <cstdint>
#include <map>
#include <vector>

namespace gateway {

/// Of readings whose sequences begin with `first`.
Tally tally_of(const CompactReadings& readings, std::uint64_t first);
void add(Tally& total, const Tally& more);
void subtract(Tally& total, const Tally& less);

// As bytes in a column. Reading tolerates any bytes: what is missing is zero.
Bytes pack_tally(const std::map<Quality, std::uint64_t>& quality,
                 const std::map<Cause, std::uint64_t>& cause);
void unpack_tally(ByteView bytes, std::map<Quality, std::uint64_t>& quality,
                  std::map<Cause, std::uint64_t>& cause);

}  // namespace gateway
