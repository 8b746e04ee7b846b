#include "gateway/core/ranges.hpp"

#include <algorithm>

namespace gateway {

namespace {

// The first range that ends at or after `sequence`.
auto reaching(const std::vector<Range>& ranges, std::uint64_t sequence)
{
    return std::lower_bound(ranges.begin(), ranges.end(), sequence,
                            [](const Range& range, std::uint64_t at) { return range.last < at; });
}

}  // namespace

void RangeSet::add(Range range)
{
    const auto touching = range.first == 0 ? 0 : range.first - 1;
    auto begin = ranges_.begin() + (reaching(ranges_, touching) - ranges_.cbegin());
    auto end = begin;
    for (; end != ranges_.end() && (end->first <= range.last || end->first - 1 == range.last);
         ++end) {
        range.first = std::min(range.first, end->first);
        range.last = std::max(range.last, end->last);
    }
    ranges_.insert(ranges_.erase(begin, end), range);
}

void RangeSet::add(const RangeSet& other)
{
    for (const auto& range : other.ranges_) {
        add(range);
    }
}

void RangeSet::remove(Range range)
{
    std::vector<Range> kept;
    kept.reserve(ranges_.size() + 1);
    for (const auto& held : ranges_) {
        if (held.last < range.first || held.first > range.last) {
            kept.push_back(held);
            continue;
        }
        if (held.first < range.first) {
            kept.push_back({held.first, range.first - 1});
        }
        if (held.last > range.last) {
            kept.push_back({range.last + 1, held.last});
        }
    }
    ranges_ = std::move(kept);
}

bool RangeSet::contains(Range range) const
{
    const auto at = reaching(ranges_, range.first);
    return at != ranges_.end() && at->first <= range.first && at->last >= range.last;
}

bool RangeSet::intersects(Range range) const
{
    const auto at = reaching(ranges_, range.first);
    return at != ranges_.end() && at->first <= range.last;
}

std::uint64_t RangeSet::size() const
{
    std::uint64_t total = 0;
    for (const auto& range : ranges_) {
        total += range.size();
    }
    return total;
}

std::vector<Range> RangeSet::holes(Range within) const
{
    std::vector<Range> found;
    auto next = within.first;
    for (auto at = reaching(ranges_, within.first); at != ranges_.end() && at->first <= within.last;
         ++at) {
        if (at->first > next) {
            found.push_back({next, at->first - 1});
        }
        if (at->last >= within.last) {
            return found;
        }
        next = at->last + 1;
    }
    if (next <= within.last) {
        found.push_back({next, within.last});
    }
    return found;
}

}  // namespace gateway
