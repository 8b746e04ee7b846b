#pragma once

#include "gateway/store/batch.hpp"
#include "gateway/store/compact_readings.hpp"

namespace gateway {

/// Gathers what a tombstone says of readings: count, times and, up to a bound, how many of each
/// alias; the reason is for the caller.
class LossTally {
public:
    void add(Alias alias, BootTime time);
    Tombstone take() { return std::move(loss_); }

private:
    Tombstone loss_;
    bool is_counted_ = true;
};

Tombstone loss_of(const CompactReadings& readings);
/// Takes in a loss beside it: count, times and, up to a bound, counts.
void merge(Tombstone& loss, const Tombstone& other);

}  // namespace gateway
