#pragma once

#include "gateway/store/batch.hpp"
#include "gateway/store/compact_readings.hpp"

namespace gateway {

/// Takes in one reading: count, times and, up to a bound, how many of each alias.
void add_reading(Tombstone& loss, Alias alias, BootTime time);
/// What a tombstone says of these readings; the reason is for the caller.
Tombstone loss_of(const CompactReadings& readings);
/// Takes in a loss beside it: count, times and, up to a bound, counts.
void merge(Tombstone& loss, const Tombstone& other);

}  // namespace gateway
