#pragma once

#include "gateway/core/ranges.hpp"
#include "gateway/receiver/announcement.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace gateway {

/// Readings that were written together, and the sum of their mix (protocol.md, section 6).
struct Piece {
    Range range;
    std::uint64_t sum = 0;
};

/// What a receiver has of one (epoch, lane).
struct LaneAccount {
    RangeSet data;            ///< readings written
    RangeSet lost;            ///< declared lost; data may cover parts, and wins
    RangeSet forgone;         ///< freed by the box and not here: they never come
    std::uint64_t head = 0;   ///< highest sequence known to exist
    std::uint64_t count = 0;  ///< of data outside `lost`
    std::uint64_t sum = 0;    ///< of the same readings
    bool cut = false;         ///< a tombstone took a part of a piece, so `sum` says nothing
    std::optional<ManifestLane> manifest;  ///< the latest

    /// What the box need not send again: data, lost and forgone.
    RangeSet settled() const;
    friend bool operator==(const LaneAccount&, const LaneAccount&) = default;
};

/// How many sequences of `within` are in `set`.
std::uint64_t size_within(const RangeSet& set, Range within);

/// `whole` cut so that each part lies either inside `set` or outside.
std::vector<Range> parts_by(const RangeSet& set, Range whole);

}  // namespace gateway
