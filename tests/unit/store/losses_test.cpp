#include "gateway/store/open_batches.hpp"
#include "tests/unit/store/outbox_fixture.hpp"

#include "gateway/core/digest.hpp"

#include <algorithm>
#include <filesystem>
#include <random>

namespace gateway {
namespace {

TEST_F(OutboxTest, W07_ALossTakesThePlaceOfItsRow)
{
    outbox().commit({{pending(10)}, {}});
    auto with_causes = pending(0);
    std::mt19937_64 random(9);
    with_causes.readings = random_readings(random, 10, with_causes.opened);
    outbox().commit({{with_causes}, {}});
    outbox().commit({{pending(10)}, {}});
    const auto before = counters(Lane::telemetry);
    const auto lost = outbox().declare_lost(1, Lane::telemetry, 11, LossReason::rejected);
    ASSERT_TRUE(lost);
    EXPECT_TRUE(lost->tombstone);
    EXPECT_EQ(lost->range(), (Range{11, 20}));
    const auto rows = all_rows(Lane::telemetry);
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(*rows[1].bytes, *lost->bytes);
    const auto content = tombstone(rows[1]);
    EXPECT_EQ(content.count, 10U);
    EXPECT_EQ(content.reason, LossReason::rejected);
    const auto readings = with_causes.readings.expanded();
    const auto [first, last] = std::ranges::minmax(readings, {}, &Reading::time);
    EXPECT_EQ(content.first_time, first.time);
    EXPECT_EQ(content.last_time, last.time);
    std::uint64_t counted = 0;
    for (const auto& lost_of_alias : content.counts) {
        counted += lost_of_alias.count;
    }
    EXPECT_EQ(counted, 10U);
    reopen();
    const auto after = counters_of(1, Lane::telemetry);
    EXPECT_EQ(after.head, 30U);
    EXPECT_EQ(after.queued, 20U);
    EXPECT_EQ(after.tombstoned, 10U);
    EXPECT_EQ(after.count, 20U);
    EXPECT_EQ(after.quality, (std::map<Quality, std::uint64_t>{{Quality::good, 20}}));
    EXPECT_TRUE(after.cause.empty());
    EXPECT_NE(after.sum, before.sum);
    EXPECT_FALSE(outbox().declare_lost(1, Lane::telemetry, 12, LossReason::rejected));
}

TEST_F(OutboxTest, NeighbouringLossesOfOneReasonMerge)
{
    for (int i = 0; i < 5; ++i) {
        outbox().commit({{pending(10)}, {}});
    }
    outbox().declare_lost(1, Lane::telemetry, 1, LossReason::rejected);
    outbox().declare_lost(1, Lane::telemetry, 31, LossReason::rejected);
    outbox().declare_lost(1, Lane::telemetry, 41, LossReason::evicted);
    EXPECT_EQ(firsts(Lane::telemetry), (std::vector<std::uint64_t>{1, 11, 21, 31, 41}));
    outbox().declare_lost(1, Lane::telemetry, 11, LossReason::rejected);
    const auto lost = outbox().declare_lost(1, Lane::telemetry, 21, LossReason::rejected);
    EXPECT_EQ(lost->range(), (Range{1, 40}));
    EXPECT_EQ(firsts(Lane::telemetry), (std::vector<std::uint64_t>{1, 41}));
    EXPECT_EQ(tombstone(*lost).count, 40U);
    EXPECT_EQ(tombstone(*lost).counts.size(), 10U);
    EXPECT_EQ(tombstone(*lost).counts[0].count, 4U);
    EXPECT_EQ(counters(Lane::telemetry).tombstoned, 50U);
    EXPECT_EQ(counters(Lane::telemetry).sum, 0U);
}

TEST_F(OutboxTest, LossesOfTwoEpochsDoNotMerge)
{
    outbox().commit({{pending(10)}, {}});
    outbox().declare_lost(1, Lane::telemetry, 1, LossReason::rejected);
    reopen();
    outbox().commit({{pending(10)}, {}});
    outbox().declare_lost(2, Lane::telemetry, 1, LossReason::rejected);
    EXPECT_EQ(all_rows(Lane::telemetry).size(), 2U);
}

TEST_F(OutboxTest, AReceiptFreesATombstone)
{
    outbox().commit({{pending(10)}, {}});
    outbox().declare_lost(1, Lane::telemetry, 1, LossReason::rejected);
    outbox().note_told(outbox().epoch(), Lane::telemetry, {1, 10});
    outbox().apply_receipt(outbox().epoch(), Lane::telemetry, {{1, 10}});
    EXPECT_TRUE(firsts(Lane::telemetry).empty());
    EXPECT_EQ(counters(Lane::telemetry).tombstoned, 10U);
    EXPECT_EQ(counters(Lane::telemetry).first_held, 11U);
}

TEST_F(OutboxTest, AReceiptForReadingsThatWereGivenUpLeavesTheirTombstoneToBeTold)
{
    outbox().commit({{pending(10)}, {}});
    outbox().commit({{pending(10)}, {}});
    const auto epoch = outbox().epoch();
    outbox().declare_lost(1, Lane::telemetry, 1, LossReason::evicted);
    outbox().apply_receipt(epoch, Lane::telemetry, {{1, 20}});
    EXPECT_EQ(firsts(Lane::telemetry), (std::vector<std::uint64_t>{1}));
    outbox().commit({{pending(10)}, {}});
    outbox().declare_lost(1, Lane::telemetry, 21, LossReason::rejected);
    outbox().note_told(epoch, Lane::telemetry, {1, 9});  // is none
    outbox().note_told(epoch, Lane::telemetry, {21, 30});
    EXPECT_EQ(firsts(Lane::telemetry), (std::vector<std::uint64_t>{1, 21}));
    outbox().note_told(epoch, Lane::telemetry, {1, 10});
    EXPECT_EQ(firsts(Lane::telemetry), (std::vector<std::uint64_t>{21}));
}

TEST_F(OutboxTest, ATombstoneThatHasGrownSinceItWasSentIsToldAgain)
{
    outbox().commit({{pending(10)}, {}});
    outbox().commit({{pending(10)}, {}});
    const auto epoch = outbox().epoch();
    outbox().declare_lost(1, Lane::telemetry, 1, LossReason::evicted);
    outbox().note_told(epoch, Lane::telemetry, {1, 10});
    outbox().declare_lost(1, Lane::telemetry, 11, LossReason::evicted);
    outbox().apply_receipt(epoch, Lane::telemetry, {{1, 20}});
    EXPECT_EQ(all_rows(Lane::telemetry).at(0).range(), (Range{1, 20}));
    outbox().note_told(epoch, Lane::telemetry, {1, 20});
    EXPECT_TRUE(firsts(Lane::telemetry).empty());
}

TEST_F(OutboxTest, WhatAReceiptCoversIsNotDeclaredLost)
{
    outbox().commit({{pending(10), pending(10)}, {}});
    outbox().apply_receipt(outbox().epoch(), Lane::telemetry, {{1, 10}});
    EXPECT_FALSE(outbox().declare_lost(1, Lane::telemetry, 1, LossReason::rejected));
    outbox().declare_lost(1, Lane::telemetry, 11, LossReason::rejected);
    EXPECT_EQ(firsts(Lane::telemetry), (std::vector<std::uint64_t>{11}));
    EXPECT_EQ(counters(Lane::telemetry).tombstoned, 10U);
}

TEST_F(OutboxTest, AFlippedBitInAPayloadIsFoundAndDeclared)
{
    for (int i = 0; i < 5; ++i) {
        outbox().commit({{pending(10)}, {}});
    }
    close();
    {
        sqlite::Connection file(settings().directory + "/store/1/outbox.db");
        for (const auto* first : {"11", "21", "41"}) {
            file.execute(
                "UPDATE telemetry SET bytes = CAST(substr(bytes, 1, 60) || x'FF' ||"
                " substr(bytes, 62) AS BLOB) WHERE id & 0xFFFFFFFF = " +
                std::string(first));
        }
    }
    const auto rows = all_rows(Lane::telemetry);
    ASSERT_EQ(rows.size(), 4U);
    EXPECT_EQ(rows[0].range(), (Range{1, 10}));
    EXPECT_EQ(rows[1].range(), (Range{11, 30}));
    EXPECT_TRUE(rows[1].tombstone);
    EXPECT_EQ(tombstone(rows[1]).reason, LossReason::damaged);
    EXPECT_EQ(tombstone(rows[1]).first_time, std::nullopt);
    EXPECT_EQ(rows[2].range(), (Range{31, 40}));
    EXPECT_EQ(rows[3].range(), (Range{41, 50}));
    const auto after = counters_of(1, Lane::telemetry);
    EXPECT_EQ(after.tombstoned, 30U);
    EXPECT_EQ(after.queued, 20U);
    EXPECT_EQ(after.count, 20U);
    const auto events = outbox().take_events();
    ASSERT_EQ(events.size(), 3U);
    EXPECT_EQ(events[0].code, "row-damaged");
    EXPECT_TRUE(outbox().take_events().empty());
    reopen();
    EXPECT_EQ(firsts(Lane::telemetry), (std::vector<std::uint64_t>{1, 11, 31, 41}));
}

void expect_balance(const EpochState& epoch)
{
    for (const auto& lane : epoch.lanes) {
        EXPECT_EQ(lane.head, lane.queued + lane.tombstoned);  // nothing is delivered yet
        EXPECT_EQ(lane.head, lane.count + lane.tombstoned);
    }
}

TEST_F(OutboxTest, OverBudgetTheOldestOfTheLowestLaneGoes)
{
    settings().budget_bytes = 200'000;
    settings().share_percent = {};
    const auto tombstoned = [this](Lane lane) { return counters(lane).tombstoned; };
    outbox().commit(
        {{noise(Lane::alarm, 1), noise(Lane::control, 2), noise(Lane::billing, 3)}, {}});
    for (std::uint64_t i = 0; i < 20; ++i) {
        outbox().commit({{noise(Lane::telemetry, 2 * i), noise(Lane::diagnostic, 2 * i + 1)}, {}});
        expect_balance(outbox().epochs().back());
        EXPECT_LE(outbox().use().used_bytes, 200'000U);
    }
    EXPECT_EQ(tombstoned(Lane::diagnostic), 40'000U);  // each goes before telemetry's first
    EXPECT_GT(tombstoned(Lane::telemetry), 0U);
    EXPECT_LT(tombstoned(Lane::telemetry), 40'000U);
    EXPECT_EQ(tombstoned(Lane::billing), 0U);
    for (std::uint64_t i = 0; i < 8; ++i) {
        outbox().commit({{noise(Lane::alarm, 100 + i), noise(Lane::billing, 200 + i)}, {}});
        outbox().commit({{noise(Lane::control, 300 + i)}, {}});
    }
    EXPECT_EQ(tombstoned(Lane::telemetry), 40'000U);
    EXPECT_GT(tombstoned(Lane::billing), 0U);
    EXPECT_EQ(tombstoned(Lane::alarm), 0U);
    EXPECT_EQ(tombstoned(Lane::control), 0U);
    expect_balance(outbox().epochs().back());
    const auto rows = all_rows(Lane::telemetry);
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].range(), (Range{1, 40'000}));
    EXPECT_EQ(tombstone(rows[0]).reason, LossReason::evicted);
    const auto events = outbox().take_events();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].code, "store-full");
}

TEST_F(OutboxTest, SumsAfterEvictionAreThoseOfWhatIsLeft)
{
    settings().budget_bytes = 400'000;
    for (std::uint64_t i = 0; i < 60; ++i) {
        outbox().commit({{noise(Lane::telemetry, i)}, {}});
    }
    std::uint64_t sum = 0;
    std::uint64_t count = 0;
    for (const auto& row : all_rows(Lane::telemetry)) {
        if (row.tombstone) {
            continue;
        }
        auto sequence = row.first;
        const auto batch = decode(*row.bytes);
        for (const auto& reading : std::get<std::vector<Reading>>(batch->content)) {
            sum += mix(sequence++, reading);
            ++count;
        }
    }
    EXPECT_LT(count, 120'000U);
    EXPECT_EQ(counters(Lane::telemetry).sum, sum);
    EXPECT_EQ(counters(Lane::telemetry).count, count);
}

TEST_F(OutboxTest, F10_AStoreWhoseOnlyEpochIsGoneIsDamaged)
{
    outbox().announce_epochs(moment());
    outbox().commit({{pending(10)}, {}});
    kill();
    const auto wal = settings().directory + "/store/1/outbox.db-wal";
    std::fstream(wal, std::ios::in | std::ios::out | std::ios::binary) << std::string(100, '\xFF');
    outbox().announce_epochs(moment());
    const auto events = outbox().take_events();
    ASSERT_FALSE(events.empty());
    EXPECT_EQ(events.front().code, "store-damaged");
    EXPECT_TRUE(std::filesystem::exists(wal));  // for its salvage
    close();
}

TEST_F(OutboxTest, F13_ATombstoneThatNobodyWasToldOfStaysForAPlatformThatHasTheReadings)
{
    outbox().commit({{pending(5)}, {}});
    const auto epoch = outbox().epoch();
    reopen();  // as an older image, of which the spool proves more
    const SpooledBatch kept{
        "nowhere", {epoch, Lane::telemetry, 11, moment().boot, moment().clock}, pending(3)};
    std::vector<Event> events;
    commit_spool(outbox(), {kept}, events);
    outbox().announce_epochs(moment());
    outbox().apply_receipt(epoch, Lane::telemetry, {{1, 13}});
    const auto rows = all_rows(Lane::telemetry);
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].range(), (Range{6, 10}));
    EXPECT_TRUE(rows[0].tombstone);
    outbox().note_told(epoch, Lane::telemetry, {6, 10});
    EXPECT_TRUE(all_rows(Lane::telemetry).empty());
}

TEST_F(OutboxTest, F10_WhatTheSpoolAndADamagedStoreBothHaveIsThereOnce)
{
    outbox().announce_epochs(moment());
    outbox().put_dictionary(1, "{}");
    const auto epoch = outbox().epoch();
    outbox().commit({{pending(5)}, {}});
    outbox().commit({{pending(3, Lane::billing)}, {}});
    const TemporaryDirectory spooled;
    kill();
    std::filesystem::remove(settings().directory + "/heads");  // a box that is not a minute old
    constexpr auto in_first_frame = 500;
    std::fstream wal(settings().directory + "/store/1/outbox.db-wal",
                     std::ios::in | std::ios::out | std::ios::binary);
    wal.seekp(in_first_frame).put('\xFF');
    wal.close();
    const auto spool = [&](Lane lane, std::uint64_t first, std::size_t count) {
        const auto path = spooled.path() + "/" + std::string(to_string(lane));
        std::ofstream(path) << "a spool file";
        return SpooledBatch{
            path, {epoch, lane, first, moment().boot, moment().clock}, pending(count, lane)};
    };
    std::vector<Event> events;
    commit_spool(outbox(), {spool(Lane::telemetry, 1, 5), spool(Lane::billing, 4, 2)}, events);
    EXPECT_TRUE(std::filesystem::exists(spooled.path() + "/telemetry"));
    while (outbox().salvage().next == SalvageStep::Next::at_once) {
    }
    EXPECT_FALSE(std::filesystem::exists(spooled.path() + "/telemetry"));
    const auto telemetry = all_rows(Lane::telemetry);
    ASSERT_EQ(telemetry.size(), 1U);
    EXPECT_EQ(telemetry[0].epoch, epoch);
    EXPECT_EQ(telemetry[0].range(), (Range{1, 5}));
    const auto billing = all_rows(Lane::billing);
    ASSERT_EQ(billing.size(), 2U);
    EXPECT_EQ(billing[1].epoch, epoch);
    EXPECT_EQ(billing[1].range(), (Range{4, 5}));
    close();
}

}  // namespace
}  // namespace gateway
