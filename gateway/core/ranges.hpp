#pragma once

#include <cstdint>
#include <vector>

namespace gateway {

/// A closed range of sequences.
struct Range {
    std::uint64_t first = 0;
    std::uint64_t last = 0;

    constexpr std::uint64_t size() const { return last - first + 1; }
    friend bool operator==(const Range&, const Range&) = default;
};

/// A set of sequences, kept as ascending, disjoint, not adjacent ranges.
class RangeSet {
public:
    void add(Range range);
    void add(const RangeSet& other);
    void remove(Range range);
    bool contains(Range range) const;  ///< all of it
    bool intersects(Range range) const;
    std::uint64_t size() const;  ///< how many sequences
    bool empty() const { return ranges_.empty(); }
    const std::vector<Range>& ranges() const { return ranges_; }
    /// The ranges inside `within` that are not in the set.
    std::vector<Range> holes(Range within) const;
    friend bool operator==(const RangeSet&, const RangeSet&) = default;

private:
    std::vector<Range> ranges_;
};

}  // namespace gateway
