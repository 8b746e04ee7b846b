#include "gateway/receiver/account.hpp"

namespace gateway {

RangeSet LaneAccount::settled() const
{
    auto all = data;
    all.add(lost);
    all.add(forgone);
    return all;
}

std::uint64_t size_within(const RangeSet& set, Range within)
{
    auto size = within.size();
    for (const auto& hole : set.holes(within)) {
        size -= hole.size();
    }
    return size;
}

std::vector<Range> parts_by(const RangeSet& set, Range whole)
{
    std::vector<Range> parts;
    auto next = whole.first;
    for (const auto& outside : set.holes(whole)) {
        if (outside.first > next) {
            parts.push_back({next, outside.first - 1});
        }
        parts.push_back(outside);
        next = outside.last + 1;
    }
    if (next <= whole.last) {
        parts.push_back({next, whole.last});
    }
    return parts;
}

}  // namespace gateway
