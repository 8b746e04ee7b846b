#include "tests/unit/receiver/reception_fixture.hpp"

#include <random>

namespace gateway::account_test {
namespace {

using namespace test;

TEST(Account, CutsARangeWhereASetBeginsAndEnds)
{
    RangeSet set;
    set.add({3, 4});
    set.add({8, 20});
    EXPECT_EQ(parts_by(set, {1, 10}), (std::vector<Range>{{1, 2}, {3, 4}, {5, 7}, {8, 10}}));
    EXPECT_EQ(parts_by(set, {3, 4}), (std::vector<Range>{{3, 4}}));
    EXPECT_EQ(size_within(set, {1, 10}), 5U);
    EXPECT_EQ(parts_by({}, {1, 10}), (std::vector<Range>{{1, 10}}));
}

// What a box does, sequence by sequence: rows that are sent as data, evicted, or both at once.
struct Model {
    std::set<std::uint64_t> data, lost;

    void expect(const LaneAccount& account, std::uint64_t head) const
    {
        std::uint64_t count = 0;
        std::uint64_t sum = 0;
        for (const auto sequence : data) {
            EXPECT_TRUE(account.data.contains({sequence, sequence}));
            if (!lost.contains(sequence)) {
                ++count;
                sum += mix(sequence, ramp(1, static_cast<std::int64_t>(sequence)).front());
            }
        }
        EXPECT_EQ(account.data.size(), data.size());
        EXPECT_EQ(account.lost.size(), lost.size());
        EXPECT_EQ(account.count, count);
        if (!account.cut) {
            EXPECT_EQ(account.sum, sum);
        }
        EXPECT_EQ(account.head, head);
    }
};

// The reading of a sequence is the same in whatever batch it travels.
Bytes rows(Range range)
{
    std::vector<Reading> made;
    for (auto sequence = range.first; sequence <= range.last; ++sequence) {
        made.push_back(ramp(1, static_cast<std::int64_t>(sequence)).front());
    }
    return encode(header(range.first), made);
}

TEST_F(ReceptionTest, BooksAgreeWithAModelWhateverTheOrder)
{
    constexpr std::uint64_t row = 5;
    constexpr std::uint64_t row_count = 30;
    std::mt19937 random(7);
    Model model;
    std::uint64_t head = 0;
    std::vector<mqtt::Message> sent{dictionary()};
    for (int step = 0; step < 300; ++step) {
        const auto first = 1 + row * (random() % row_count);
        // One to three whole rows: batches are cut and merged at rows alone.
        const Range range{first, first + row * (1 + random() % 3) - 1};
        const bool is_data = random() % 3 != 0;
        take(
            {is_data ? batch(rows(range)) : batch(tombstone(range.first, range.last - first + 1))});
        for (auto sequence = range.first; sequence <= range.last; ++sequence) {
            (is_data ? model.data : model.lost).insert(sequence);
        }
        head = std::max(head, range.last);
        if (step % 30 == 29) {
            take(std::exchange(sent, {}));
            restart();
        }
    }
    model.expect(reception->report().at(0).account, head);
    EXPECT_EQ(sequences().size(), model.data.size()) << "each key once";
    EXPECT_EQ(reception->tally().conflicts, 0U);
}

TEST_F(ReceptionTest, SumsLeaveOutWholeRowsWhateverTheOrder)
{
    constexpr std::uint64_t row = 5;
    std::mt19937 random(11);
    Model model;
    std::vector<mqtt::Message> sent{dictionary()};
    for (int step = 0; step < 300; ++step) {
        const auto first = 1 + row * (random() % 30);
        const Range range{first, first + row - 1};
        const bool is_data = random() % 3 != 0;
        const std::uint64_t rows_lost = is_data ? 1 : 1 + random() % 4;  // neighbours merge
        const auto last = first + row * rows_lost - 1;
        sent.push_back(is_data ? batch(rows(range)) : batch(tombstone(first, last - first + 1)));
        for (auto sequence = first; sequence <= last; ++sequence) {
            (is_data ? model.data : model.lost).insert(sequence);
        }
    }
    take(sent);
    const auto head = std::max(*model.data.rbegin(), *model.lost.rbegin());
    const auto report = reception->report();
    EXPECT_FALSE(report.at(0).account.cut);
    model.expect(report[0].account, head);
}

TEST_F(ReceptionTest, ATombstoneThatCutsABatchMakesTheSumSayNothing)
{
    take({dictionary(), batch(readings(1, 10)), batch(tombstone(4, 2))});
    const auto report = reception->report();
    EXPECT_TRUE(report.at(0).account.cut);
    EXPECT_EQ(report[0].account.count, 8U);
    take({manifest(10, 8, 99, 2)});
    EXPECT_EQ(verdict().completeness, Completeness::counted);
}

TEST_F(ReceptionTest, DataInsideATombstoneStaysOutOfTheSums)
{
    std::uint64_t sum = 0;
    for (const std::uint64_t sequence : {1U, 2U, 3U, 6U, 7U, 8U}) {
        sum += mix_of(1, sequence);
    }
    take({dictionary(), batch(tombstone(4, 2)), batch(readings(1, 8)), manifest(8, 6, sum, 2)});
    EXPECT_EQ(verdict().completeness, Completeness::identical);
    EXPECT_EQ(sequences(), counting(1, 8));
}

}  // namespace
}  // namespace gateway::account_test
