#include "tests/support/faulty_vfs.hpp"
#include "tests/unit/store/store_truth.hpp"

#include <filesystem>

namespace gateway {
namespace {

namespace fs = std::filesystem;
using test::FaultyDisk;

class FaultsTest : public OutboxTest {
protected:
    ~FaultsTest() override
    {
        disk_.before_sync({});
        close();  // while its disk is there
    }
    void salvage()
    {
        while (outbox().salvage().next == SalvageStep::Next::at_once) {
        }
    }
    /// As the intake does: what failed is tried again, in the next store if need be.
    void commit_somehow()
    {
        bool tried = false;
        for (int attempt = 0; attempt < 20; ++attempt) {
            try {
                if (!outbox().is_usable() && outbox().open()) {
                    outbox().announce_epochs(moment());
                }
                tried ? truth_.retry(outbox()) : truth_.commit(outbox(), random_);
                return;
            } catch (const StoreError&) {
                tried = true;
                if (attempt > 3) {
                    disk_.repair();
                }
            }
        }
        FAIL() << "no store takes a commit";
    }
    bool has_event(const std::string& code)
    {
        const auto events = outbox().take_events();
        return std::ranges::any_of(events, [&](const Event& e) { return e.code == code; });
    }

    FaultyDisk disk_;
    std::mt19937_64 random_{1};
    StoreTruth truth_;
};

TEST_F(FaultsTest, F1_AFailedSyncIsNotTriedAgainAndItsCommitNeverWas)
{
    for (int i = 0; i < 10; ++i) {
        truth_.commit(outbox(), random_);
    }
    const auto first = outbox().epoch();
    const auto head = counters(Lane::telemetry).head;
    disk_.fail(FaultyDisk::Fault::sync_error, 1, true);
    EXPECT_THROW(truth_.commit(outbox(), random_), StoreError);
    unsigned syncs = 0;
    disk_.before_sync([&] { ++syncs; });
    EXPECT_FALSE(outbox().is_usable());
    EXPECT_TRUE(has_event("store-failed"));
    EXPECT_THROW(truth_.retry(outbox()), StoreError);
    EXPECT_TRUE(all_rows(Lane::telemetry).empty());
    EXPECT_EQ(outbox().epochs().size(), 1U);
    EXPECT_EQ(syncs, 0U);
    ASSERT_TRUE(outbox().open());
    EXPECT_NE(outbox().epoch(), first);
    outbox().announce_epochs(moment());
    truth_.retry(outbox());
    salvage();
    truth_.expect_complete(outbox());
    EXPECT_EQ(truth_.lost, 0U);
    // The rows of the failed commit lie in the file: they count as little as they did then.
    EXPECT_EQ(counters_of(1, Lane::telemetry).head, head);
    EXPECT_EQ(outbox().epochs()[0].id, first);
    EXPECT_TRUE(outbox().epochs()[0].closed);
}

TEST_F(FaultsTest, F1_WhatAFailedCommitFreedIsDeliveredAndCountedAsSuch)
{
    for (const bool told_again : {false, true}) {
        close();
        fs::remove_all(settings().directory);
        truth_ = {};
        for (int i = 0; i < 10; ++i) {
            truth_.commit(outbox(), random_);
        }
        const auto first = outbox().epoch();
        const auto rows = all_rows(Lane::telemetry);
        truth_.receive(outbox(), first, Lane::telemetry, {1, rows[2].range().last});
        truth_.commit(outbox(), random_);
        truth_.receive(outbox(), first, Lane::telemetry, {1, rows[5].range().last});
        disk_.fail(FaultyDisk::Fault::sync_error, 1, true);
        EXPECT_THROW(truth_.commit(outbox(), random_), StoreError);  // it would have freed rows
        ASSERT_TRUE(outbox().open());
        outbox().announce_epochs(moment());
        truth_.retry(outbox());
        if (told_again) {
            truth_.receive(outbox(), first, Lane::telemetry, {1, rows[5].range().last});
        }
        salvage();
        truth_.expect_complete(outbox());
        EXPECT_EQ(counters_of(1, Lane::telemetry).tombstoned, 0U);
    }
}

TEST_F(FaultsTest, F2_F3_WhateverCallFailsNothingDurableIsLost)
{
    for (const auto fault : {FaultyDisk::Fault::sync_error, FaultyDisk::Fault::write_error,
                             FaultyDisk::Fault::read_error, FaultyDisk::Fault::no_space}) {
        for (unsigned after = 1; after < 200; after = after * 2 + 1) {
            for (const bool once : {true, false}) {
                SCOPED_TRACE(std::to_string(static_cast<int>(fault)) + " " + std::to_string(after));
                close();
                fs::remove_all(settings().directory);
                truth_ = {};
                outbox().announce_epochs(moment());
                disk_.fail(fault, after, once);
                for (int i = 0; i < 12; ++i) {
                    commit_somehow();
                    outbox().checkpoint();
                }
                disk_.repair();
                commit_somehow();
                salvage();
                truth_.expect_complete(outbox());
                if (fault != FaultyDisk::Fault::no_space) {  // then alarms displace others
                    EXPECT_EQ(truth_.lost, 0U);
                }
            }
        }
    }
}

TEST_F(FaultsTest, AStartOnADiskThatFailsIsAStartAllTheSame)
{
    for (const auto fault : {FaultyDisk::Fault::sync_error, FaultyDisk::Fault::write_error,
                             FaultyDisk::Fault::no_space}) {
        close();
        fs::remove_all(settings().directory);
        disk_.fail(fault);
        EXPECT_FALSE(outbox().is_usable());
        EXPECT_TRUE(has_event("store-unusable"));
        EXPECT_FALSE(outbox().open());
        EXPECT_FALSE(has_event("store-unusable"));  // once is enough
        const auto epoch = outbox().epoch();
        EXPECT_EQ(outbox().use().budget_bytes, settings().budget_bytes);
        EXPECT_EQ(outbox().state("anything"), std::nullopt);
        disk_.repair();
        ASSERT_TRUE(outbox().open());
        EXPECT_EQ(outbox().epoch(), epoch);
        outbox().commit({{pending(3)}, {}});
        EXPECT_EQ(all_rows(Lane::telemetry).size(), 1U);
    }
}

TEST_F(FaultsTest, F7_AReadOnlyStateDirectoryIsNotDamage)
{
    truth_.commit(outbox(), random_);
    close();
    disk_.fail(FaultyDisk::Fault::read_only);
    outbox();
    EXPECT_TRUE(has_event("store-unusable"));
    disk_.repair();
    ASSERT_TRUE(outbox().open());
    EXPECT_FALSE(fs::exists(settings().directory + "/store/2"));
    truth_.expect_complete(outbox());
}

}  // namespace
}  // namespace gateway
