#include "tests/unit/store/intake_fixture.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

namespace gateway {
namespace {

TEST_F(IntakeTest, ALaneIsCommittedOnItsIntervalAnchoredAtTheOpening)
{
    auto& box = running_box();
    box.clock.advance(3s);
    box.intake.accept(Lane::telemetry, readings(5));
    box.clock.advance(6s);
    box.intake.accept(Lane::telemetry, readings(5));
    box.clock.advance(3999ms);
    EXPECT_EQ(box.intake.counters().commits, 1U);  // the announcement's
    box.clock.advance(1ms);
    EXPECT_TRUE(box.comes([&] { return box.batches(Lane::telemetry) == 1; }));
    EXPECT_EQ(box.durable[0].count, 10U);
    EXPECT_EQ(box.intake.counters().accepted, 11U);
    EXPECT_EQ(box.intake.counters().committed, 11U);
}

TEST_F(IntakeTest, AlarmsAreCommittedAtOnce)
{
    auto& box = running_box();
    box.intake.accept(Lane::telemetry, readings(5));
    box.intake.accept(Lane::alarm, readings(1));
    box.intake.accept(Lane::alarm, readings(1));
    EXPECT_TRUE(box.comes([&] { return box.batches(Lane::alarm) == 1; }));
    EXPECT_EQ(box.durable[0].count, 2U);
    EXPECT_EQ(box.batches(Lane::telemetry), 0U);
}

TEST_F(IntakeTest, LanesDueWithinASecondShareATransaction)
{
    auto& box = running_box();
    box.intake.accept(Lane::telemetry, readings(5));
    box.clock.advance(5500ms);
    box.intake.accept(Lane::billing, readings(5));
    box.clock.advance(4500ms);
    EXPECT_TRUE(box.comes([&] { return box.durable.size() == 2; }));
    EXPECT_EQ(box.intake.counters().commits, 2U);
}

TEST_F(IntakeTest, ABatchClosesAtItsMostReadings)
{
    auto& box = running_box();
    box.intake.accept(Lane::telemetry, readings(full_batch + 10));
    EXPECT_TRUE(box.comes([&] { return box.batches(Lane::telemetry) == 1; }));
    EXPECT_EQ(box.durable[0].count, full_batch);
    EXPECT_EQ(spool_files(), 1U);
    box.flush();
    EXPECT_EQ(box.durable[1].range(), (Range{full_batch + 1, full_batch + 10}));
}

TEST_F(IntakeTest, ABatchClosesBeforeItIsTooLargeForTheWire)
{
    auto& box = running_box();
    std::mt19937_64 random(1);
    for (int i = 0; i < 64; ++i) {
        auto noise = readings(1000);
        for (auto& reading : noise) {
            reading.value = Value::from_bits(Kind::float64, random());
        }
        box.intake.accept(Lane::telemetry, noise);
        box.loop.restart();
        box.loop.poll();
    }
    box.flush();
    EXPECT_GE(box.durable.size(), 4U);
    for (const auto& batch : box.durable) {
        EXPECT_LE(batch.bytes->size(), 131'072U);
    }
    EXPECT_EQ(box.durable.back().range().last, 64'000U);
}

TEST_F(IntakeTest, W12_ANewDictionaryClosesTheBatchesThatNameTheOld)
{
    auto& box = running_box();
    box.announce(2, 22);
    box.intake.accept(Lane::telemetry, readings(5, 1));
    box.intake.accept(Lane::billing, readings(5, 2));
    box.announce(1, 12);
    box.intake.accept(Lane::telemetry, readings(5, 1));
    box.announce(1, 12);  // nothing new
    box.flush();
    std::vector<DictionaryHash> named;
    std::vector<std::string> control;
    for (const auto& stored : box.durable) {
        const auto batch = decode(*stored.bytes);
        ASSERT_TRUE(batch);
        if (stored.lane == Lane::telemetry) {
            ASSERT_EQ(batch->header.dictionaries.size(), 1U);
            named.push_back(batch->header.dictionaries[0].hash);
        } else if (stored.lane == Lane::control) {
            for (const auto& reading : std::get<std::vector<Reading>>(batch->content)) {
                control.push_back(reading.value.text());
            }
        }
    }
    EXPECT_EQ(named, (std::vector<DictionaryHash>{11, 12}));
    EXPECT_EQ(box.batches(Lane::billing), 1U);
    ASSERT_EQ(control.size(), 2U);
    EXPECT_EQ(control[1],
              R"({"type":"dictionary","hash":"000000000000000c","device":1,"id":"meter-3"})");
    EXPECT_TRUE(box.outbox.dictionary(12));
}

TEST_F(IntakeTest, W14_AClockSetInsideABatchClosesIt)
{
    auto& box = running_box();
    const WallTime noon(1'785'585'600s);
    box.clock.set_wall(noon, ClockState::synced);
    box.clock.advance(1s);
    box.intake.accept(Lane::telemetry, readings(5));
    box.clock.advance(1s);
    box.clock.set_wall(noon + 2s + 54ms, ClockState::synced);  // 50 ms and the error of 5 ms
    box.intake.accept(Lane::telemetry, readings(5));
    box.clock.advance(1s);
    EXPECT_EQ(box.batches(Lane::telemetry), 0U);
    box.clock.set_wall(noon + 1h, ClockState::synced);
    box.intake.accept(Lane::telemetry, readings(5));
    EXPECT_TRUE(box.comes([&] { return box.batches(Lane::telemetry) == 1; }));
    box.flush();
    ASSERT_EQ(box.batches(Lane::telemetry), 2U);
    const auto before = decode(*box.durable[0].bytes);
    const auto after = decode(*box.durable[1].bytes);
    EXPECT_EQ(before->count(), 10U);
    EXPECT_EQ(before->header.clock.wall, noon + 1s);  // as at its opening
    EXPECT_EQ(after->header.clock.wall, noon + 1h);
}

TEST_F(IntakeTest, ANewClockStateClosesTheBatch)
{
    auto& box = running_box();
    box.intake.accept(Lane::telemetry, readings(5));
    box.clock.advance(2s);
    box.clock.set_wall(WallTime(2s), ClockState::synced);  // the same time, now known
    box.intake.accept(Lane::telemetry, readings(5));
    EXPECT_TRUE(box.comes([&] { return box.batches(Lane::telemetry) == 1; }));
    EXPECT_EQ(box.durable[0].count, 5U);
}

TEST_F(IntakeTest, FullBatchesHoldProducersBackUntilTheyAreCommitted)
{
    spool_settings_.most_open_bytes = 20'000;
    auto& box = running_box();
    EXPECT_TRUE(box.intake.has_room());
    box.intake.accept(Lane::telemetry, readings(2000));
    EXPECT_FALSE(box.intake.has_room());
    bool resumed = false;
    auto wait = [](Intake& intake, bool& done) -> boost::asio::awaitable<void> {
        co_await intake.wait_for_room();
        done = true;
    };
    box.tasks.spawn("producer", wait(box.intake, resumed));
    box.clock.advance(9s);
    EXPECT_FALSE(resumed);
    box.clock.advance(1s);
    EXPECT_TRUE(box.comes([&] { return resumed; }));
    EXPECT_TRUE(box.intake.has_room());
}

TEST_F(IntakeTest, SlotsReachTheStoreWithinAMinuteEvenWithoutReadings)
{
    auto& box = running_box();
    box.intake.count(Lane::telemetry, {7, 0, 0, 0, {{Cause::timeout, 7}}});
    box.clock.advance(61s);
    EXPECT_TRUE(box.comes([&] {
        box.clock.advance(1s);  // the intake may have begun to wait only now
        return box.intake.counters().commits == 2;
    }));
    const auto slots = box.outbox.epochs().back().lanes[index_of(Lane::telemetry)].slots;
    EXPECT_EQ(slots.expected, 7U);
    EXPECT_TRUE(std::filesystem::exists(outbox_settings_.directory + "/heads"));
}

TEST_F(IntakeTest, TheSpoolIsEmptyWhenAllIsDurable)
{
    auto& box = running_box();
    box.intake.accept(Lane::telemetry, readings(5));
    box.intake.accept(Lane::billing, readings(5));
    EXPECT_EQ(spool_files(), 2U);
    box.flush();
    EXPECT_EQ(spool_files(), 0U);
    EXPECT_EQ(box.durable.size(), 2U);
}

TEST_F(IntakeTest, WithoutASpoolItWorksAndSaysSoOnce)
{
    spool_settings_.spool_directory = "/proc/no-such-place";
    auto& box = running_box();
    box.intake.accept(Lane::telemetry, readings(5));
    box.intake.accept(Lane::billing, readings(5));
    box.flush();
    EXPECT_EQ(box.durable.size(), 2U);
    ASSERT_EQ(box.events.size(), 1U);
    EXPECT_EQ(box.events[0].code, "spool-unusable");
}

TEST_F(IntakeTest, AReadingFarFromNowHasABatchOfItsOwn)
{
    auto& box = running_box();
    auto far = readings(3);
    far[1].time += 24h * 30;
    box.intake.accept(Lane::telemetry, far);
    box.flush();
    ASSERT_EQ(box.durable.size(), 3U);
    const auto batch = decode(*box.durable[1].bytes);
    EXPECT_EQ(std::get<std::vector<Reading>>(batch->content)[0], far[1]);
}

TEST_F(IntakeTest, AStopBetweenCommitsLosesNothing)
{
    for (int round = 0; round < 20; ++round) {
        auto& box = running_box();
        box.intake.accept(Lane::telemetry, readings(5));
        box.intake.accept(Lane::alarm, readings(1));
        for (int turn = 0; turn < round; ++turn) {
            box.loop.restart();
            box.loop.poll_one();
        }
        box.tasks.cancel();
        box.flush();
        EXPECT_EQ(box.intake.counters().committed, box.intake.counters().accepted);
        EXPECT_EQ(spool_files(), 0U);
        stop_box();
    }
}

/// Runs `child` in a process of its own and kills it once it has said that it is ready.
template <typename Child>
void run_and_kill(Child child)
{
    std::array<int, 2> ends{};
    ASSERT_EQ(pipe(ends.data()), 0);
    const auto pid = fork();
    if (pid == 0) {
        child();
        if (write(ends[1], "x", 1) == 1) {
            pause();
        }
        _exit(1);
    }
    close(ends[1]);
    char ready = 0;
    EXPECT_EQ(read(ends[0], &ready, 1), 1);
    close(ends[0]);
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
}

TEST_F(IntakeTest, W15_WhatAKilledProcessAcceptedIsCommittedToItsEpoch)
{
    std::mt19937_64 random(2);
    const auto accepted = random_readings(random, 300, BootTime(1h));
    run_and_kill([&] {
        auto& killed = running_box();
        for (std::uint16_t device = 2; device <= 4; ++device) {
            killed.announce(device, device * 11U);
        }
        killed.intake.accept(Lane::telemetry, std::span(accepted).first(100));
        killed.flush();
        for (std::size_t i = 100; i < 300; i += 50) {
            killed.intake.accept(Lane::telemetry, std::span(accepted).subspan(i, 50));
        }
        killed.intake.accept(Lane::billing, std::span(accepted).first(10));
    });
    EXPECT_EQ(spool_files(), 2U);
    const auto epochs = box().outbox.epochs();
    ASSERT_EQ(epochs.size(), 2U);
    EXPECT_TRUE(epochs[0].closed);
    EXPECT_EQ(epochs[0].lanes[index_of(Lane::telemetry)].head, 300U);
    EXPECT_EQ(epochs[0].lanes[index_of(Lane::billing)].head, 10U);
    std::vector<Reading> recovered;
    for (const auto& row : box().outbox.read(Lane::telemetry, 0, 0, SIZE_MAX)) {
        EXPECT_EQ(row.epoch, epochs[0].id);
        const auto batch = decode(*row.bytes);
        EXPECT_EQ(batch->header.dictionaries.size(), 4U);
        const auto& part = std::get<std::vector<Reading>>(batch->content);
        recovered.insert(recovered.end(), part.begin(), part.end());
    }
    EXPECT_EQ(recovered, accepted);
    EXPECT_TRUE(box().outbox.dictionary(33));
    EXPECT_EQ(spool_files(), 0U);
    ASSERT_EQ(box().events.size(), 1U);
    EXPECT_EQ(box().events[0].code, "spool-recovered");
    // The heads that close the epoch are those after the recovery.
    const auto control = box().outbox.read(Lane::control, 2, 0, SIZE_MAX);
    const auto batch = decode(*control[0].bytes);
    const auto& closing = std::get<std::vector<Reading>>(batch->content)[1].value.text();
    const auto row = *parse_json(closing);
    EXPECT_EQ(row.at("heads").at("telemetry").to_number<int>(), 300);
    EXPECT_EQ(row.at("clean"), false);
}

TEST_F(IntakeTest, W15_ATornSpoolFileIsReadToItsLastGoodRecord)
{
    run_and_kill([&] {
        auto& killed = running_box();
        killed.intake.accept(Lane::telemetry, readings(10));
        killed.intake.accept(Lane::telemetry, readings(10));
    });
    for (const auto& file : std::filesystem::directory_iterator(spool_settings_.spool_directory)) {
        std::filesystem::resize_file(file.path(), file.file_size() - 1);
    }
    EXPECT_EQ(box().outbox.epochs()[0].lanes[index_of(Lane::telemetry)].head, 10U);
}

TEST_F(IntakeTest, W15_ASpoolWhoseCommitReturnedIsNotCommittedAgain)
{
    std::filesystem::create_directories(spool_settings_.spool_directory);
    const auto kept = directory_.path() + "/kept";
    run_and_kill([&] {
        auto& killed = running_box();
        killed.intake.accept(Lane::telemetry, readings(10));
        std::filesystem::copy(spool_settings_.spool_directory, kept);
        killed.flush();
    });
    std::filesystem::copy(kept, spool_settings_.spool_directory);  // killed before the removal
    EXPECT_EQ(spool_files(), 1U);
    EXPECT_EQ(box().outbox.epochs()[0].lanes[index_of(Lane::telemetry)].head, 10U);
    EXPECT_EQ(spool_files(), 0U);
}

TEST_F(IntakeTest, W15_ADictionaryThatOnlyTheSpoolNamesIsKept)
{
    run_and_kill([&] {
        auto& killed = running_box();
        killed.announce(2, 22);
        killed.announce(3, 33);
        killed.intake.accept(Lane::telemetry, readings(1, 3));
    });
    EXPECT_TRUE(box().outbox.dictionary(33));
    EXPECT_EQ(box().outbox.dictionaries_held(), (std::vector<DictionaryHash>{33}));
    EXPECT_FALSE(box().outbox.dictionary(22));  // nothing will ever name it
}

TEST_F(IntakeTest, ASpoolOfAnotherStoreIsReported)
{
    run_and_kill([&] { running_box().intake.accept(Lane::telemetry, readings(10)); });
    outbox_settings_.directory += "-of-another-card";
    EXPECT_EQ(box().outbox.epochs().size(), 1U);
    ASSERT_EQ(box().events.size(), 1U);
    EXPECT_EQ(box().events[0].code, "spool-lost");
    EXPECT_EQ(spool_files(), 0U);
}

TEST(Spool, ReadingsOfEveryKindComeBackFromEveryTornFile)
{
    const TemporaryDirectory directory;
    std::mt19937_64 random(3);
    const SpoolHeader header{EpochId::random(), Lane::billing, 5, BootTime(7h),
                             example_header().clock};
    const auto readings = random_readings(random, 60, header.opened);
    auto file = SpoolFile::create(directory.path(), header);
    ASSERT_TRUE(file);
    const std::vector<DictionaryRef> named{{3, 33}, {1, 11}};
    EXPECT_TRUE(file->append(named, std::span(readings).first(40)));
    EXPECT_TRUE(file->append({}, std::span(readings).subspan(40)));
    auto found = read_spool(directory.path());
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].header.epoch, header.epoch);
    EXPECT_EQ(found[0].header.lane, Lane::billing);
    EXPECT_EQ(found[0].header.first, 5U);
    EXPECT_EQ(found[0].batch.opened, header.opened);
    EXPECT_EQ(found[0].batch.clock.wall, header.clock.wall);
    EXPECT_EQ(found[0].batch.dictionaries, (std::vector<DictionaryRef>{{1, 11}, {3, 33}}));
    EXPECT_EQ(found[0].batch.readings.expanded(), readings);
    for (auto size = std::filesystem::file_size(found[0].path); size-- > 0;) {
        std::filesystem::resize_file(found[0].path, size);
        const auto torn = read_spool(directory.path());
        const auto whole = torn.empty() ? 0 : torn[0].batch.readings.size();
        EXPECT_TRUE(whole == 0 || whole == 40) << size;
        if (torn.empty()) {
            break;  // deleted: not even its header is whole
        }
    }
    EXPECT_FALSE(std::filesystem::exists(found[0].path));
}

}  // namespace
}  // namespace gateway
