#include "gateway/store/outbox.hpp"

#include "gateway/core/digest.hpp"
#include "gateway/core/json.hpp"
#include "gateway/store/heads.hpp"
#include "gateway/store/open_batches.hpp"
#include "gateway/store/schema.hpp"
#include "tests/unit/store/outbox_fixture.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

namespace gateway {
namespace {

TEST_F(OutboxTest, SequencesFollowEachOtherInEachLane)
{
    const auto stored = outbox().commit({{pending(3), pending(2, Lane::alarm), pending(4)}, {}});
    ASSERT_EQ(stored.size(), 3U);
    EXPECT_EQ(stored[0].range(), (Range{1, 3}));
    EXPECT_EQ(stored[1].range(), (Range{1, 2}));
    EXPECT_EQ(stored[2].range(), (Range{4, 7}));
    EXPECT_EQ(counters(Lane::telemetry).head, 7U);
    const auto batch = decode(*stored[2].bytes);
    ASSERT_TRUE(batch);
    EXPECT_EQ(batch->header.first, 4U);
    EXPECT_EQ(batch->header.epoch, outbox().epoch());
}

TEST_F(OutboxTest, W01_WhatWasEncodedAndNotCommittedHasNoNumber)
{
    settings().budget_bytes = 100'000;
    outbox().commit({{pending(5)}, {}});
    // Encoded and inserted, until the file is full; alarms are not evicted.
    Commit too_much{std::vector<PendingBatch>(50, noise(Lane::alarm, 1, 32'000)), {}};
    EXPECT_THROW(outbox().commit(too_much), StoreError);
    EXPECT_EQ(counters(Lane::alarm).head, 0U);
    EXPECT_EQ(outbox().commit({{pending(3, Lane::alarm)}, {}})[0].range(), (Range{1, 3}));
    reopen();
    EXPECT_EQ(counters_of(1, Lane::alarm).head, 3U);
    EXPECT_EQ(all_rows(Lane::alarm).size(), 1U);
}

TEST_F(OutboxTest, RowsOfEarlierEpochsComeBackUnderTheirOwnKey)
{
    const auto before = outbox().commit({{pending(3)}, {}});
    const auto first_epoch = outbox().epoch();
    reopen();
    EXPECT_NE(outbox().epoch(), first_epoch);
    const auto stored = outbox().commit({{pending(2)}, {}});
    EXPECT_EQ(stored[0].range(), (Range{1, 2}));
    const auto rows = all_rows(Lane::telemetry);
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].epoch, first_epoch);
    EXPECT_EQ(*rows[0].bytes, *before[0].bytes);
    EXPECT_EQ(rows[1].epoch, outbox().epoch());
}

TEST_F(OutboxTest, ReadGoesOnFromAnyPlaceAndStopsAtItsBytes)
{
    for (int i = 0; i < 5; ++i) {
        outbox().commit({{pending(10)}, {}});
    }
    const auto number = outbox().epoch_number();
    EXPECT_EQ(outbox().read(Lane::telemetry, number, 20, 1).size(), 1U);
    EXPECT_EQ(outbox().read(Lane::telemetry, number, 20, 1)[0].first, 21U);
    EXPECT_EQ(outbox().read(Lane::telemetry, number, 20, 1 << 20).size(), 3U);
    EXPECT_EQ(outbox().read(Lane::telemetry, number, 50, 1 << 20).size(), 0U);
    EXPECT_EQ(outbox().read(Lane::billing, number, 0, 1 << 20).size(), 0U);
}

TEST_F(OutboxTest, W03_TheEpochIsDurableBeforeAnyoneSeesIt)
{
    const auto seen = outbox().epoch();
    reopen();
    const auto epochs = outbox().epochs();
    ASSERT_EQ(epochs.size(), 2U);
    EXPECT_EQ(epochs[0].id, seen);
    EXPECT_EQ(epochs[1].id, outbox().epoch());
}

TEST_F(OutboxTest, EpochsAreOpenedAndClosedInLaneControl)
{
    outbox().announce_epochs(moment());
    outbox().commit({{pending(4)}, {}});
    const auto killed = outbox().epoch();
    reopen();  // without a close: as after a kill
    outbox().announce_epochs(moment());
    auto rows = control_rows();
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(rows[0].at("type"), "epoch_opened");
    EXPECT_TRUE(rows[0].at("previous").is_null());
    EXPECT_EQ(rows[1].at("type"), "epoch_opened");
    EXPECT_EQ(rows[1].at("previous").as_string(), killed.hex());
    EXPECT_EQ(rows[2].at("type"), "epoch_closed");
    EXPECT_EQ(rows[2].at("epoch").as_string(), killed.hex());
    EXPECT_EQ(rows[2].at("clean"), false);
    EXPECT_EQ(rows[2].at("heads").at("telemetry").to_number<int>(), 4);
    EXPECT_EQ(rows[2].at("heads").at("control").to_number<int>(), 1);
    const auto stopped = outbox().epoch();
    outbox().close_epoch(moment());
    reopen();
    outbox().announce_epochs(moment());
    rows = control_rows();
    ASSERT_EQ(rows.size(), 5U);
    EXPECT_EQ(rows[3].at("type"), "epoch_closed");
    EXPECT_EQ(rows[3].at("epoch").as_string(), stopped.hex());
    EXPECT_EQ(rows[3].at("clean"), true);
    EXPECT_EQ(rows[3].at("heads").at("control").to_number<int>(), 3);
    EXPECT_EQ(rows[4].at("type"), "epoch_opened");
    EXPECT_TRUE(outbox().epochs()[0].closed);
    EXPECT_TRUE(outbox().epochs()[1].closed);
    EXPECT_FALSE(outbox().epochs()[2].closed);
}

TEST_F(OutboxTest, CountersEqualThoseComputedFromTheReadings)
{
    std::mt19937_64 random(5);
    LaneCounters wanted;
    for (int i = 0; i < 20; ++i) {
        auto batch = pending(0);
        const auto readings = random_readings(random, 1 + random() % 50, batch.opened);
        batch.readings = readings;
        outbox().commit({{batch}, {}});
        for (const auto& reading : readings) {
            wanted.sum += mix(++wanted.head, reading);
            ++wanted.quality[reading.quality];
            if (reading.cause != Cause::none) {
                ++wanted.cause[reading.cause];
            }
        }
    }
    for (const bool reopened : {false, true}) {
        if (reopened) {
            reopen();
        }
        const auto got = counters_of(1, Lane::telemetry);
        EXPECT_EQ(got.head, wanted.head);
        EXPECT_EQ(got.count, wanted.head);
        EXPECT_EQ(got.queued, wanted.head);
        EXPECT_EQ(got.sum, wanted.sum);
        EXPECT_EQ(got.quality, wanted.quality);
        EXPECT_EQ(got.cause, wanted.cause);
        EXPECT_EQ(got.first_held, 1U);
    }
}

TEST_F(OutboxTest, SlotsAreCountedWithTheCommit)
{
    Commit commit{{pending(1)}, {}};
    commit.slots[index_of(Lane::telemetry)] = {10, 5, 2, 1, {{Cause::timeout, 2}}};
    outbox().commit(commit);
    commit.batches.clear();
    outbox().commit(commit);
    reopen();
    const auto slots = counters_of(1, Lane::telemetry).slots;
    EXPECT_EQ(slots.expected, 20U);
    EXPECT_EQ(slots.good, 10U);
    EXPECT_EQ(slots.other, 4U);
    EXPECT_EQ(slots.suppressed, 2U);
    EXPECT_EQ(slots.missed, (std::map<Cause, std::uint64_t>{{Cause::timeout, 4}}));
}

TEST_F(OutboxTest, W06_AReceiptFreesWholeRowsAndKeepsItsRanges)
{
    for (int i = 0; i < 4; ++i) {
        outbox().commit({{pending(10)}, {}});
    }
    const auto outcome =
        outbox().apply_receipt(outbox().epoch(), Lane::telemetry, {{1, 20}, {25, 35}});
    EXPECT_EQ(outcome.verdict, ReceiptVerdict::applied);
    EXPECT_FALSE(outcome.more);
    EXPECT_EQ(firsts(Lane::telemetry), (std::vector<std::uint64_t>{21, 31}));
    EXPECT_EQ(counters(Lane::telemetry).queued, 20U);
    EXPECT_EQ(counters(Lane::telemetry).first_held, 21U);
    outbox().commit({{}, {}});  // rows and ranges together
    reopen();
    EXPECT_EQ(firsts(Lane::telemetry), (std::vector<std::uint64_t>{21, 31}));
    EXPECT_EQ(counters_of(1, Lane::telemetry).queued, 20U);
    EXPECT_EQ(outbox().received(1, Lane::telemetry).ranges(),
              (std::vector<Range>{{1, 20}, {25, 35}}));
    // The rest arrives: rows that two receipts cover together go too.
    outbox().apply_receipt(epoch_id(1), Lane::telemetry, {{1, 40}});
    EXPECT_TRUE(firsts(Lane::telemetry).empty());
    EXPECT_EQ(counters_of(1, Lane::telemetry).first_held, 41U);
}

TEST_F(OutboxTest, W06_ManyRowsAreFreedInSlices)
{
    for (int i = 0; i < 250; ++i) {
        outbox().commit({{pending(1)}, {}});
    }
    EXPECT_TRUE(outbox().apply_receipt(outbox().epoch(), Lane::telemetry, {{1, 250}}).more);
    EXPECT_EQ(counters(Lane::telemetry).queued, 150U);
    EXPECT_TRUE(outbox().apply_receipt(outbox().epoch(), Lane::telemetry, {{1, 250}}).more);
    EXPECT_FALSE(outbox().apply_receipt(outbox().epoch(), Lane::telemetry, {{1, 250}}).more);
    EXPECT_EQ(counters(Lane::telemetry).queued, 0U);
    reopen();  // slices of this size were committed on their own
    EXPECT_TRUE(firsts(Lane::telemetry).empty());
    EXPECT_EQ(counters_of(1, Lane::telemetry).queued, 0U);
}

TEST_F(OutboxTest, W05_AReceiptThatWasNotDurableIsForgottenAndTheRowsAreStillThere)
{
    outbox().commit({{pending(10)}, {}});
    outbox().apply_receipt(outbox().epoch(), Lane::telemetry, {{1, 10}});
    EXPECT_TRUE(firsts(Lane::telemetry).empty());
    reopen();
    EXPECT_EQ(firsts(Lane::telemetry), (std::vector<std::uint64_t>{1}));
    EXPECT_EQ(counters_of(1, Lane::telemetry).queued, 10U);
    EXPECT_TRUE(outbox().received(1, Lane::telemetry).empty());
}

TEST_F(OutboxTest, W04_AReceiptOfAnEarlierEpochFreesThatEpochsRows)
{
    outbox().commit({{pending(10)}, {}});
    const auto earlier = outbox().epoch();
    reopen();
    outbox().commit({{pending(10)}, {}});
    EXPECT_EQ(outbox().apply_receipt(earlier, Lane::telemetry, {{1, 10}}).verdict,
              ReceiptVerdict::applied);
    const auto rows = all_rows(Lane::telemetry);
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].epoch, outbox().epoch());
}

TEST_F(OutboxTest, W02_AClosedHeadBelowThePlatformsRangesSaysThatTheStorageLied)
{
    outbox().commit({{pending(10)}, {}});
    const auto earlier = outbox().epoch();
    reopen();
    EXPECT_EQ(outbox().apply_receipt(earlier, Lane::telemetry, {{1, 15}}).verdict,
              ReceiptVerdict::storage_lied);
    EXPECT_EQ(outbox().received(1, Lane::telemetry).ranges(), (std::vector<Range>{{1, 10}}));
    EXPECT_TRUE(firsts(Lane::telemetry).empty());  // what both have is delivered all the same
}

TEST_F(OutboxTest, AReceiptAboveTheHeadChangesNothing)
{
    outbox().commit({{pending(10)}, {}});
    EXPECT_EQ(outbox().apply_receipt(outbox().epoch(), Lane::telemetry, {{1, 11}}).verdict,
              ReceiptVerdict::above_head);
    EXPECT_EQ(firsts(Lane::telemetry).size(), 1U);
    EXPECT_TRUE(outbox().received(1, Lane::telemetry).empty());
}

TEST_F(OutboxTest, AReceiptForAnUnknownEpochIsNotOurs)
{
    EXPECT_EQ(outbox().apply_receipt(EpochId::random(), Lane::telemetry, {{1, 1}}).verdict,
              ReceiptVerdict::unknown_epoch);
}

TEST_F(OutboxTest, ReceiptsWithSenselessRangesFreeNothing)
{
    outbox().commit({{pending(10)}, {}});
    std::vector<Range> hostile{{0, 0}, {5, 4}, {0, 10}};
    for (std::uint64_t i = 0; i < 5; ++i) {
        hostile.push_back({2 * i + 1, 2 * i + 1});
    }
    outbox().apply_receipt(outbox().epoch(), Lane::telemetry, hostile);
    EXPECT_EQ(firsts(Lane::telemetry).size(), 1U);
}

TEST_F(OutboxTest, DictionariesAreHeldAsLongAsARowNamesThem)
{
    outbox().put_dictionary(11, "eleven");
    outbox().put_dictionary(11, "eleven");
    outbox().put_dictionary(0xFFFFFFFFFFFFFFFF, "last");
    outbox().commit({{pending(10)}, {}});  // names 11 … 44
    EXPECT_EQ(outbox().dictionaries_held(),
              (std::vector<DictionaryHash>{11, 33, 44, 0xFFEEDDCCBBAA9988U}));
    auto changed = pending(10);
    changed.dictionaries = {{1, 0xFFFFFFFFFFFFFFFF}};
    outbox().commit({{changed}, {}});
    reopen();
    EXPECT_EQ(outbox().dictionary(11), "eleven");
    EXPECT_EQ(outbox().dictionary(0xFFFFFFFFFFFFFFFF), "last");
    EXPECT_EQ(outbox().dictionary(12), std::nullopt);
    EXPECT_EQ(outbox().dictionaries_held().size(), 5U);
    outbox().apply_receipt(epoch_id(1), Lane::telemetry, {{1, 10}});
    const auto held = outbox().dictionaries_held();
    EXPECT_FALSE(std::ranges::binary_search(held, DictionaryHash{11}));
    EXPECT_TRUE(std::ranges::binary_search(held, DictionaryHash{0xFFFFFFFFFFFFFFFF}));
    outbox().apply_receipt(epoch_id(1), Lane::telemetry, {{1, 20}});
    EXPECT_TRUE(outbox().dictionaries_held().empty());
}

TEST_F(OutboxTest, AnEpochIsForgottenOnlyWhenItIsClosedAndEmpty)
{
    outbox().commit({{pending(10)}, {}});
    const auto earlier = outbox().epoch();
    outbox().close_epoch(moment());
    reopen();
    outbox().forget(earlier);
    EXPECT_EQ(outbox().epochs().size(), 2U);
    outbox().apply_receipt(earlier, Lane::telemetry, {{1, 10}});
    outbox().apply_receipt(earlier, Lane::control, {{1, 1}});
    outbox().forget(earlier);
    EXPECT_EQ(outbox().epochs().size(), 1U);
    outbox().forget(outbox().epoch());
    EXPECT_EQ(outbox().epochs().size(), 1U);
    const auto number = outbox().epoch_number();
    reopen();
    EXPECT_GT(outbox().epoch_number(), number);
    EXPECT_EQ(outbox().epochs().size(), 2U);
}

TEST_F(OutboxTest, P2_AStartThatWasCutWhileItGrewTheStoreIsFinishedByTheNext)
{
    const TemporaryDirectory folder;
    const auto file = folder.path() + "/cut.db";
    {
        const sqlite::Connection cut(file);
        cut.execute("CREATE TABLE reserve(bytes BLOB)");
    }
    auto opened = open_outbox_file(file, 1 << 20, false);
    sqlite::Statement tables(opened, "SELECT count(*) FROM sqlite_schema WHERE name = 'reserve'");
    auto count = tables.run();
    ASSERT_TRUE(count.next());
    EXPECT_EQ(count.integer(0), 0);
}

TEST_F(OutboxTest, F12_WhatTheSpoolProvesOfAnEmptiedStoreIsDeclaredLost)
{
    outbox().put_dictionary(1, "{}");
    outbox().commit({{pending(5)}, {}});
    const auto epoch = outbox().epoch();
    close();
    const auto store = settings().directory + "/store/1/outbox.db";
    std::filesystem::remove(store + "-wal");
    std::filesystem::resize_file(store, 0);
    reopen();
    const SpooledBatch kept{
        "nowhere", {epoch, Lane::telemetry, 6, moment().boot, moment().clock}, pending(3)};
    std::vector<Event> events;
    commit_spool(outbox(), {kept}, events);
    while (outbox().salvage().next == SalvageStep::Next::at_once) {
    }
    const auto rows = all_rows(Lane::telemetry);
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].epoch, epoch);
    EXPECT_EQ(rows[0].range(), (Range{1, 5}));
    EXPECT_EQ(tombstone(rows[0]).reason, LossReason::store_lost);
    EXPECT_EQ(rows[1].epoch, epoch);
    EXPECT_EQ(rows[1].range(), (Range{6, 8}));
}

TEST_F(OutboxTest, F10_SequencesThatTheSpoolProvesAndTheStoreLostAreNotGivenAgain)
{
    outbox().commit({{pending(5)}, {}});
    const auto epoch = outbox().epoch();
    const SpooledBatch kept{
        "nowhere", {epoch, Lane::telemetry, 11, moment().boot, moment().clock}, pending(3)};
    std::vector<Event> events;
    commit_spool(outbox(), {kept}, events);
    const auto rows = all_rows(Lane::telemetry);
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(rows[1].range(), (Range{6, 10}));
    EXPECT_EQ(tombstone(rows[1]).reason, LossReason::store_lost);
    EXPECT_EQ(rows[2].range(), (Range{11, 13}));
    ASSERT_FALSE(events.empty());
    EXPECT_EQ(events.back().code, "store-lost");
}

TEST_F(OutboxTest, StateIsKept)
{
    EXPECT_EQ(outbox().state("first_start"), std::nullopt);
    outbox().set_state("first_start", "1");
    outbox().set_state("first_start", "2026-08-01T10:00:00Z");
    reopen();
    EXPECT_EQ(outbox().state("first_start"), "2026-08-01T10:00:00Z");
}

TEST_F(OutboxTest, ASecondInstanceIsRefusedAndToldWhoIsThere)
{
    outbox();
    try {
        Outbox second(settings());
        FAIL();
    } catch (const StoreError& error) {
        EXPECT_NE(std::string(error.what()).find("process " + std::to_string(getpid())),
                  std::string::npos)
            << error.what();
    }
}

TEST_F(OutboxTest, BatchesLargerThanTheWireAllowsAreSplitBeforeTheyAreStored)
{
    settings().most_wire_bytes = 2000;
    std::mt19937_64 random(6);
    auto batch = pending(0);
    const auto readings = random_readings(random, 1000, batch.opened);
    batch.readings = readings;
    const auto stored = outbox().commit({{batch}, {}});
    EXPECT_GT(stored.size(), 4U);
    for (const auto& row : stored) {
        EXPECT_LE(row.bytes->size(), 2000U);
    }
    EXPECT_EQ(all_readings(Lane::telemetry), readings);
}

TEST_F(OutboxTest, AStoredBatchIsReplacedBySmallerOnes)
{
    std::mt19937_64 random(7);
    auto batch = pending(0);
    const auto readings = random_readings(random, 1000, batch.opened);
    batch.readings = readings;
    outbox().commit({{batch}, {}});
    const auto before = counters(Lane::telemetry);
    const auto parts = outbox().split(1, Lane::telemetry, 1, 1500);
    EXPECT_GT(parts.size(), 4U);
    EXPECT_EQ(all_rows(Lane::telemetry).size(), parts.size());
    EXPECT_EQ(all_readings(Lane::telemetry), readings);
    const auto after = counters(Lane::telemetry);
    EXPECT_EQ(after.sum, before.sum);
    EXPECT_EQ(after.count, before.count);
    EXPECT_EQ(after.queued, before.queued);
    EXPECT_EQ(after.head, before.head);
    EXPECT_EQ(after.quality, before.quality);
    EXPECT_TRUE(outbox().split(1, Lane::telemetry, 77'777, 1500).empty());
}

TEST_F(OutboxTest, HeadsAreWrittenBesideTheDatabase)
{
    outbox().commit({{pending(7), pending(2, Lane::billing)}, {}});
    outbox().write_heads();
    const HeadsFile file(settings().directory + "/heads");
    const auto heads = file.read();
    ASSERT_TRUE(heads);
    ASSERT_EQ(heads->size(), 1U);
    EXPECT_EQ((*heads)[0].epoch, outbox().epoch());
    EXPECT_EQ((*heads)[0].heads, (PerLane<std::uint64_t>{0, 0, 2, 7, 0}));
}

TEST(HeadsFile, ATornWriteLeavesTheSlotBefore)
{
    const TemporaryDirectory directory;
    const auto path = directory.path() + "/heads";
    EXPECT_FALSE(HeadsFile(path).read());
    const std::vector<EpochHeads> older{{EpochId::random(), 1, {1, 2, 3, 4, 5}}};
    const std::vector<EpochHeads> newer(100, {EpochId::random(), 2, {9, 9, 9, 9, 9}});
    HeadsFile(path).write(older);  // a new object each time, as after a restart
    HeadsFile(path).write(newer);
    EXPECT_EQ(HeadsFile(path).read()->size(), 63U);
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(2000);  // in the slot of the second write
    file.put('!');
    file.close();
    EXPECT_EQ(HeadsFile(path).read(), older);
}

TEST_F(OutboxTest, W13_OnlyTheHighestStoreIsOpenedAndTheOthersAreLeftAsTheyAre)
{
    outbox().commit({{pending(10)}, {}});
    const auto epoch = outbox().epoch();
    close();
    const auto store = std::filesystem::path(settings().directory) / "store";
    std::filesystem::create_directory(store / "2");
    const auto before = file_bytes((store / "1" / "outbox.db").string());
    outbox().commit({{pending(1)}, {}});
    EXPECT_EQ(all_rows(Lane::telemetry).size(), 1U);
    // The epoch before is still named: a birth without it would say that it is lost.
    ASSERT_EQ(outbox().epochs().size(), 2U);
    EXPECT_EQ(outbox().epochs()[0].id, epoch);
    EXPECT_TRUE(outbox().epochs()[0].salvaged);
    EXPECT_FALSE(outbox().epochs()[0].closed);
    close();
    EXPECT_EQ(file_bytes((store / "1" / "outbox.db").string()), before);
    EXPECT_TRUE(std::filesystem::exists(store / "2" / "outbox.db"));
}

TEST_F(OutboxTest, TheWalStaysShortWhenItIsMovedInTime)
{
    const auto wal = settings().directory + "/store/1/outbox.db-wal";
    std::mt19937_64 random(8);
    for (int i = 0; i < 100; ++i) {
        auto batch = pending(0);
        batch.readings = random_readings(random, 3000, batch.opened);
        outbox().commit({{batch}, {}});
        outbox().checkpoint();
    }
    EXPECT_GT(outbox().use().used_bytes, 4U << 20);
    EXPECT_LT(std::filesystem::file_size(wal), 6U << 20);
    reopen();
    EXPECT_EQ(counters_of(1, Lane::telemetry).head, 300'000U);
}

TEST_F(OutboxTest, F17_AStoreFromANewerVersionIsLeftAsItIsAndANewOneBegun)
{
    outbox().commit({{pending(10)}, {}});
    close();
    const auto path = settings().directory + "/store/1/outbox.db";
    constexpr auto newer = (schema_version + 1) << 16 | (schema_version + 1);
    sqlite::Connection(path).execute("PRAGMA user_version = " + std::to_string(newer));
    const auto before = file_bytes(path) + file_bytes(path + "-wal");
    outbox().commit({{pending(1)}, {}});
    const auto events = outbox().take_events();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].code, "store-newer");
    EXPECT_EQ(all_rows(Lane::telemetry).size(), 1U);
    close();
    EXPECT_EQ(file_bytes(path) + file_bytes(path + "-wal"), before);
}

TEST_F(OutboxTest, F17_AStoreOfTheNextReleaseIsUsedAfterADowngrade)
{
    outbox().commit({{pending(10)}, {}});
    close();
    constexpr auto next = schema_version << 16 | (schema_version + 1);
    sqlite::Connection(settings().directory + "/store/1/outbox.db")
        .execute("PRAGMA user_version = " + std::to_string(next));
    EXPECT_EQ(all_rows(Lane::telemetry).size(), 1U);
    EXPECT_EQ(outbox().state("nothing"), std::nullopt);
    close();
    EXPECT_EQ(
        sqlite::Connection(settings().directory + "/store/1/outbox.db").pragma("user_version"),
        std::to_string(next));
}

/// What a child process committed before it was killed: it reports each commit after its return.
std::uint64_t commits_of_a_killed_child(const OutboxSettings& settings, int milliseconds)
{
    std::array<int, 2> pipe_ends{};
    EXPECT_EQ(pipe(pipe_ends.data()), 0);
    const auto child = fork();
    if (child == 0) {
        Outbox outbox(settings);
        for (std::uint64_t head = 0;; head += 100) {
            outbox.commit({{pending(100)}, {}});
            const auto durable = head + 100;
            if (write(pipe_ends[1], &durable, sizeof durable) != sizeof durable) {
                _exit(1);
            }
        }
    }
    close(pipe_ends[1]);
    std::uint64_t durable = 0;
    while (durable == 0 && read(pipe_ends[0], &durable, sizeof durable) == sizeof durable) {
    }
    // NOLINTNEXTLINE(sleep): the kill shall come anywhere in a commit, where no event tells
    usleep(static_cast<useconds_t>(milliseconds) * 1000);
    kill(child, SIGKILL);
    while (read(pipe_ends[0], &durable, sizeof durable) == sizeof durable) {
    }
    close(pipe_ends[0]);
    waitpid(child, nullptr, 0);
    return durable;
}

TEST_F(OutboxTest, WhatWasReportedDurableIsThereAfterAKill)
{
    constexpr int runs = 20;
    std::vector<std::uint64_t> promised;
    promised.reserve(runs);
    for (int run = 0; run < runs; ++run) {
        promised.push_back(commits_of_a_killed_child(settings(), run * 3));
    }
    const auto epochs = outbox().epochs();
    ASSERT_EQ(epochs.size(), 21U);
    std::uint64_t rows = 0;
    for (std::size_t run = 0; run < promised.size(); ++run) {
        const auto head = epochs[run].lanes[index_of(Lane::telemetry)].head;
        EXPECT_GE(head, promised[run]);
        EXPECT_LE(head, promised[run] + 100);  // the one that returned and was not reported
        EXPECT_GT(promised[run], 0U);
        rows += head / 100;
    }
    EXPECT_EQ(all_rows(Lane::telemetry).size(), rows);
}

}  // namespace
}  // namespace gateway
