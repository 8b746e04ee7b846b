#include "tests/unit/store/outbox_fixture.hpp"

#include <sys/mount.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace gateway {
namespace {

namespace fs = std::filesystem;

class BudgetTest : public OutboxTest {
protected:
    void store(Lane lane, int batches)
    {
        for (int i = 0; i < batches; ++i) {
            outbox().commit({{noise(lane, ++seed_)}, {}});
        }
    }
    std::uint64_t lost(Lane lane) { return counters(lane).tombstoned; }
    LossReason reason(Lane lane)
    {
        for (const auto& row : all_rows(lane)) {
            if (row.tombstone) {
                return tombstone(row).reason;
            }
        }
        return LossReason::rejected;
    }

    std::uint64_t seed_ = 0;
};

TEST_F(BudgetTest, F16_ALaneKeepsItsShareAndTheOneOverItGivesWay)
{
    settings().budget_bytes = 400'000;
    store(Lane::diagnostic, 3);  // 24 KB of its 40
    store(Lane::telemetry, 60);  // all the rest, and more
    EXPECT_EQ(lost(Lane::diagnostic), 0U);
    EXPECT_GT(lost(Lane::telemetry), 0U);
    store(Lane::billing, 60);  // its share is 160 KB: telemetry gives way down to 120
    EXPECT_EQ(lost(Lane::diagnostic), 0U);
    EXPECT_GT(lost(Lane::billing), 0U);
    const auto billing = counters(Lane::billing).queued;
    store(Lane::telemetry, 20);
    EXPECT_EQ(counters(Lane::billing).queued, billing);
    store(Lane::alarm, 60);
    EXPECT_EQ(lost(Lane::alarm), 0U);
    EXPECT_EQ(counters(Lane::diagnostic).queued, 0U);  // in the order of sacrifice
    EXPECT_EQ(counters(Lane::telemetry).queued, 0U);
}

TEST_F(BudgetTest, F16_DropNewestKeepsWhatIsThere)
{
    settings().budget_bytes = 200'000;
    settings().policy.fill(Policy::drop_newest);
    store(Lane::telemetry, 50);
    const auto rows = all_rows(Lane::telemetry);
    ASSERT_GE(rows.size(), 2U);
    EXPECT_FALSE(rows.front().tombstone);
    EXPECT_TRUE(rows.back().tombstone);
    EXPECT_EQ(rows.back().range().last, 100'000U);
    EXPECT_EQ(tombstone(rows.back()).reason, LossReason::refused_by_policy);
    EXPECT_EQ(counters(Lane::telemetry).head, 100'000U);
    EXPECT_EQ(counters(Lane::telemetry).queued + lost(Lane::telemetry), 100'000U);
    const auto events = outbox().take_events();
    ASSERT_EQ(events.size(), 1U);
    EXPECT_EQ(events[0].code, "store-full");
}

TEST_F(BudgetTest, F16_HowMuchOfItsShareALaneUsesIsTold)
{
    settings().budget_bytes = 400'000;
    const auto used = [this](Lane lane) {
        return outbox().use().share_used_percent[index_of(lane)];
    };
    EXPECT_EQ(used(Lane::telemetry), 0U);
    store(Lane::telemetry, 6);  // 48 KB of its 120
    EXPECT_NEAR(used(Lane::telemetry), 40, 2);
    EXPECT_EQ(used(Lane::diagnostic), 0U);
    store(Lane::telemetry, 30);  // while others have room it may have more than its share
    EXPECT_NEAR(used(Lane::telemetry), 240, 12);
    store(Lane::alarm, 1);
    EXPECT_EQ(used(Lane::alarm), 0U) << "never sacrificed";
}

TEST_F(BudgetTest, F16_AThinnedLaneThatIsFullAllTheSameDropsItsOldest)
{
    settings().budget_bytes = 400'000;
    settings().policy.fill(Policy::thin);
    store(Lane::telemetry, 80);
    const auto rows = all_rows(Lane::telemetry);
    ASSERT_GE(rows.size(), 2U);
    EXPECT_TRUE(rows[0].tombstone);
    EXPECT_EQ(tombstone(rows[0]).reason, LossReason::evicted);
    EXPECT_FALSE(rows[1].tombstone);
    EXPECT_EQ(lost(Lane::telemetry), rows[0].count);
}

TEST_F(BudgetTest, S35_S36_WhatWasReceiptedIsNotCountedAndItsSpaceIsFreeAtOnce)
{
    settings().budget_bytes = 200'000;
    for (int round = 0; round < 5; ++round) {
        store(Lane::telemetry, 15);
        const auto head = counters(Lane::telemetry).head;
        while (outbox().apply_receipt(outbox().epoch(), Lane::telemetry, {{1, head}}).more) {
        }
    }
    EXPECT_EQ(lost(Lane::telemetry), 0U);
    EXPECT_LT(fs::file_size(settings().directory + "/store/1/outbox.db"), 3U << 20);
}

TEST_F(BudgetTest, S28_AStoreFarAboveItsBudgetComesDownRowByRowAndNoCommitWaitsForAllOfIt)
{
    store(Lane::telemetry, 100);
    const auto used = outbox().use().used_bytes;
    close();
    settings().budget_bytes = used / 2;
    std::uint64_t before = lost(Lane::telemetry);
    std::uint64_t most = 0;
    for (int i = 0; i < 200; ++i) {
        store(Lane::telemetry, 1);
        const auto now = lost(Lane::telemetry);
        most = std::max(most, now - before);
        before = now;
    }
    EXPECT_LE(most, 3 * 2'000U);  // readings: of rows as large as the one that comes
    EXPECT_LE(outbox().use().used_bytes, used / 2);
}

TEST_F(BudgetTest, S07_AgeAloneEvictsNothing)
{
    outbox().commit({{pending(10)}, {}});
    auto later = pending(10);
    later.opened += std::chrono::hours(24 * 365 * 10);
    later.clock.wall += std::chrono::hours(24 * 365 * 10);
    outbox().commit({{later}, {}});
    reopen();
    outbox().announce_epochs({later.opened, later.clock});
    EXPECT_EQ(all_rows(Lane::telemetry).size(), 2U);
}

/// 100 KB that no compression makes smaller.
PendingBatch bulk(std::mt19937_64& random)
{
    auto batch = pending(0);
    for (int i = 0; i < 20; ++i) {
        std::string text(5000, '\0');
        for (std::size_t at = 0; at < text.size(); at += sizeof(std::uint64_t)) {
            const auto word = random();
            std::memcpy(&text[at], &word, sizeof word);
        }
        batch.readings.push_back({{1, 1}, batch.opened, Value::of_text(text), {}, {}, {}});
    }
    return batch;
}

TEST_F(BudgetTest, S24_OverfilledTheFolderStaysInsideTheBudgetOnTheDisk)
{
    settings().budget_bytes = 16 << 20;
    std::mt19937_64 random(1);
    std::uintmax_t most = 0;
    for (int i = 0; i < 150; ++i) {  // 45 MB
        outbox().commit({{bulk(random), bulk(random), bulk(random)}, {}});
        outbox().checkpoint();
        std::uintmax_t size = 0;
        for (const auto& file : fs::recursive_directory_iterator(settings().directory)) {
            size += file.is_regular_file() ? file.file_size() : 0;
        }
        most = std::max(most, size);
    }
    EXPECT_LE(most, 16U << 20);
    EXPECT_GT(counters(Lane::telemetry).queued, 20U * 50);
    EXPECT_GT(lost(Lane::telemetry), 0U);
}

/// A small ext4 of our own, where root may have one.
class SmallDisk {
public:
    explicit SmallDisk(const std::string& folder, unsigned megabytes) : path_(folder + "/disk")
    {
        const auto image = folder + "/image";
        std::ofstream(image).close();
        fs::resize_file(image, std::uintmax_t{megabytes} << 20);
        fs::create_directory(path_);
        const auto make = "mkfs.ext4 -q -m 0 " + image + " && mount -o loop " + image + " " +
                          path_ + " 2>/dev/null";
        // NOLINTNEXTLINE(cert-env33-c,concurrency-mt-unsafe): a test's own folder
        mounted_ = geteuid() == 0 && std::system(make.c_str()) == 0;
    }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;
    ~SmallDisk()
    {
        if (mounted_) {
            umount2(path_.c_str(), MNT_DETACH);
        }
    }
    bool is_mounted() const { return mounted_; }
    const std::string& path() const { return path_; }
    /// Takes the space that is left, but for so many bytes.
    void fill(std::uintmax_t leave = 0) const
    {
        std::ofstream file(path_ + "/foreign", std::ios::binary | std::ios::app);
        const std::string block(4096, 'x');
        while (fs::space(path_).available > leave &&
               file.write(block.data(), static_cast<std::streamsize>(block.size())).flush()) {
        }
    }
    void free_space() const { fs::remove(path_ + "/foreign"); }

private:
    std::string path_;
    bool mounted_ = false;
};

TEST_F(BudgetTest, F5_S25_S26_OnAFullDiskAlarmsAreStoredAndOthersAreShed)
{
    const TemporaryDirectory folder;
    const SmallDisk disk(folder.path(), 48);
    if (!disk.is_mounted()) {
        GTEST_SKIP() << "needs root and a loop device";
    }
    settings().directory = disk.path() + "/state";
    settings().free_floor_bytes = 4 << 20;
    outbox().announce_epochs(moment());
    store(Lane::telemetry, 100);
    outbox().checkpoint();
    EXPECT_EQ(lost(Lane::telemetry), 0U);
    disk.fill();
    for (int i = 0; i < 300; ++i) {
        outbox().commit({{noise(Lane::telemetry, ++seed_), noise(Lane::alarm, ++seed_, 50)}, {}});
        outbox().checkpoint();
    }
    EXPECT_EQ(counters(Lane::alarm).queued, 15'000U);
    EXPECT_GT(lost(Lane::telemetry), 0U);
    EXPECT_EQ(counters(Lane::telemetry).queued + lost(Lane::telemetry), 800'000U);
    EXPECT_EQ(reason(Lane::telemetry), LossReason::evicted);
    EXPECT_TRUE(outbox().is_usable());
    reopen();  // still full
    outbox().announce_epochs(moment());
    outbox().commit({{noise(Lane::alarm, ++seed_, 50)}, {}});
    disk.free_space();
    const auto lost_until_now = lost(Lane::telemetry);
    store(Lane::telemetry, 50);
    EXPECT_EQ(lost(Lane::telemetry), lost_until_now);
    close();
}

TEST_F(BudgetTest, F4_AStoreThatBeganOnAFullDiskWorksOnceThereIsSpace)
{
    const TemporaryDirectory folder;
    const SmallDisk disk(folder.path(), 48);
    if (!disk.is_mounted()) {
        GTEST_SKIP() << "needs root and a loop device";
    }
    settings().directory = disk.path() + "/state";
    settings().free_floor_bytes = 64 << 20;  // more than the disk has
    disk.fill(256 << 10);                    // the tables fit, the reserve does not
    const std::string dictionary(100'000, 'd');
    EXPECT_THROW(
        {
            for (DictionaryHash hash = 0; hash < 10; ++hash) {
                outbox().put_dictionary(hash, dictionary);
            }
        },
        StoreError);
    EXPECT_TRUE(outbox().is_usable());
    disk.free_space();
    outbox().put_dictionary(10, dictionary);
    outbox().announce_epochs(moment());
    store(Lane::telemetry, 50);
    EXPECT_EQ(lost(Lane::telemetry), 0U);
    close();
}

TEST_F(BudgetTest, BelowTheFreeFloorLowLanesDoNotGrowTheFile)
{
    outbox();
    close();
    settings().free_floor_bytes = ~std::uint64_t{0} >> 1;  // no disk has that much
    store(Lane::telemetry, 350);                           // 3 MB; 2 MB were grown ahead
    outbox().checkpoint();
    EXPECT_LT(fs::file_size(settings().directory + "/store/1/outbox.db"), 3U << 20);
    EXPECT_GT(lost(Lane::telemetry), 0U);
    store(Lane::alarm, 50);
    EXPECT_EQ(lost(Lane::alarm), 0U);  // they may have what the floor keeps from others
}

}  // namespace
}  // namespace gateway
