#include "gateway/core/ranges.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <set>

namespace gateway {
namespace {

constexpr std::uint64_t edge = 60;

std::vector<Range> ranges_of(const std::set<std::uint64_t>& model)
{
    std::vector<Range> ranges;
    for (const auto number : model) {
        if (!ranges.empty() && ranges.back().last + 1 == number) {
            ranges.back().last = number;
        } else {
            ranges.push_back({number, number});
        }
    }
    return ranges;
}

std::size_t common(const std::set<std::uint64_t>& model, Range range)
{
    return static_cast<std::size_t>(
        std::distance(model.lower_bound(range.first), model.upper_bound(range.last)));
}

void expect_same(const RangeSet& ranges, const std::set<std::uint64_t>& model, Range probe)
{
    ASSERT_EQ(ranges.ranges(), ranges_of(model));
    ASSERT_EQ(ranges.size(), model.size());
    ASSERT_EQ(ranges.empty(), model.empty());
    ASSERT_EQ(ranges.contains(probe), common(model, probe) == probe.last - probe.first + 1);
    ASSERT_EQ(ranges.intersects(probe), common(model, probe) != 0);
    std::set<std::uint64_t> missing;
    for (auto number = probe.first; number <= probe.last; ++number) {
        if (!model.contains(number)) {
            missing.insert(number);
        }
    }
    ASSERT_EQ(ranges.holes(probe), ranges_of(missing));
}

TEST(RangeSet, IsTheSameAsASetOfNumbers)
{
    std::mt19937_64 random(20260801);
    const auto any = [&random] {
        const auto first = 1 + random() % edge;
        return Range{first, std::min(edge, first + random() % 8)};
    };
    for (int round = 0; round < 200; ++round) {
        RangeSet ranges;
        std::set<std::uint64_t> model;
        for (int step = 0; step < 60; ++step) {
            const auto range = any();
            const bool removes = random() % 3 == 0;
            for (auto number = range.first; number <= range.last; ++number) {
                removes ? void(model.erase(number)) : void(model.insert(number));
            }
            removes ? ranges.remove(range) : ranges.add(range);
            ASSERT_NO_FATAL_FAILURE(expect_same(ranges, model, any())) << "round " << round;
        }
    }
}

TEST(RangeSet, JoinsNeighbours)
{
    RangeSet ranges;
    ranges.add({1, 4});
    ranges.add({6, 9});
    ranges.add({5, 5});
    EXPECT_EQ(ranges.ranges(), (std::vector<Range>{{1, 9}}));
}

TEST(RangeSet, AddsAnotherSet)
{
    RangeSet left;
    RangeSet right;
    left.add({1, 2});
    right.add({3, 4});
    right.add({8, 9});
    left.add(right);
    EXPECT_EQ(left.ranges(), (std::vector<Range>{{1, 4}, {8, 9}}));
}

TEST(RangeSet, ReachesTheLargestSequence)
{
    constexpr auto last = std::numeric_limits<std::uint64_t>::max();
    RangeSet ranges;
    ranges.add({last, last});
    ranges.add({last - 2, last - 1});
    EXPECT_EQ(ranges.ranges(), (std::vector<Range>{{last - 2, last}}));
    EXPECT_TRUE(ranges.holes({last - 1, last}).empty());
    EXPECT_EQ(ranges.holes({last - 3, last}), (std::vector<Range>{{last - 3, last - 3}}));
}

}  // namespace
}  // namespace gateway
