#include "tests/support/faulty_vfs.hpp"
#include "tests/unit/store/intake_fixture.hpp"

namespace gateway {
namespace {

using test::FaultyDisk;

/// An intake over a disk that can be made to fail.
class VolatileTest : public IntakeTest {
protected:
    VolatileTest() { spool_settings_.most_open_bytes = 100'000; }
    ~VolatileTest() override { stop_box(); }  // while its disk is there

    /// What the store has of a lane of an epoch, from 1 to its head, without a hole.
    struct Stored {
        std::uint64_t readings = 0;
        std::uint64_t lost = 0;
        std::vector<std::int64_t> values;
    };
    Stored stored(Lane lane)
    {
        Stored found;
        std::uint64_t next = 1;
        for (const auto& row : box().outbox.read(lane, box().outbox.epoch_number(), 0, SIZE_MAX)) {
            EXPECT_EQ(row.first, next);
            next += row.count;
            const auto batch = decode(*row.bytes);
            if (row.tombstone) {
                const auto& loss = std::get<Tombstone>(batch->content);
                EXPECT_EQ(loss.reason, LossReason::volatile_store);
                EXPECT_TRUE(loss.first_time);
                found.lost += row.count;
                continue;
            }
            found.readings += row.count;
            for (const auto& reading : std::get<std::vector<Reading>>(batch->content)) {
                if (reading.value.kind() != Kind::text) {
                    found.values.push_back(static_cast<std::int32_t>(reading.value.bits()));
                }
            }
        }
        return found;
    }
    bool told(const std::string& code)
    {
        return std::ranges::any_of(box().events, [&](const Event& e) { return e.code == code; });
    }
    FaultyDisk disk_;
};

TEST_F(VolatileTest, AFailedCommitLosesNothingAndTheNextStoreTakesIt)
{
    auto& box = running_box();
    const auto before = box.outbox.epoch();
    disk_.fail(FaultyDisk::Fault::sync_error, 1, true);
    box.intake.accept(Lane::telemetry, readings(10));
    box.flush();
    EXPECT_TRUE(told("store-failed"));
    EXPECT_NE(box.outbox.epoch(), before);
    EXPECT_EQ(stored(Lane::telemetry).readings, 10U);
    EXPECT_TRUE(box.outbox.dictionary(11));  // the new store knows it before the first row
    EXPECT_EQ(spool_files(), 0U);
}

TEST_F(VolatileTest, WithoutAStoreReadingsGoOnInABoundedRing)
{
    auto& box = running_box();
    disk_.fail(FaultyDisk::Fault::write_error);
    box.intake.accept(Lane::alarm, readings(1));
    box.flush();
    EXPECT_FALSE(box.outbox.is_usable());
    for (int i = 0; i < 40; ++i) {
        EXPECT_TRUE(box.intake.has_room());
        box.intake.accept(Lane::telemetry, readings(500));
        box.intake.accept(Lane::billing, readings(10));
        box.flush();
    }
    disk_.repair();
    box.intake.accept(Lane::alarm, readings(1));
    box.flush();
    ASSERT_TRUE(box.outbox.is_usable());
    EXPECT_TRUE(told("store-works"));
    const auto telemetry = stored(Lane::telemetry);
    EXPECT_EQ(telemetry.readings + telemetry.lost, 20'000U);
    EXPECT_GT(telemetry.lost, 10'000U);
    EXPECT_GT(telemetry.readings, 1'000U);  // the newest
    EXPECT_EQ(stored(Lane::billing).readings, 400U);
    EXPECT_EQ(stored(Lane::alarm).readings, 2U);
    EXPECT_TRUE(std::ranges::is_sorted(telemetry.values));
    EXPECT_EQ(spool_files(), 0U);
}

TEST_F(VolatileTest, TheStoreIsTriedAgainByItself)
{
    auto& box = running_box();
    disk_.fail(FaultyDisk::Fault::write_error);
    box.intake.accept(Lane::alarm, readings(1));
    EXPECT_TRUE(box.comes([&] { return told("store-failed"); }));
    disk_.repair();
    EXPECT_TRUE(box.comes([&] {
        box.clock.advance(1s);
        return told("store-works");
    }));
    EXPECT_EQ(stored(Lane::alarm).readings, 1U);
}

TEST_F(VolatileTest, AFullDiskKeepsReadingsUntilThereIsSpace)
{
    auto& box = running_box();
    disk_.fail(FaultyDisk::Fault::no_space);
    box.intake.accept(Lane::telemetry, readings(10));
    box.flush();
    EXPECT_TRUE(told("disk-full"));
    EXPECT_TRUE(box.outbox.is_usable());
    disk_.repair();
    EXPECT_TRUE(box.comes([&] {
        box.clock.advance(1s);
        return told("store-works");
    }));
    EXPECT_EQ(stored(Lane::telemetry).readings, 10U);
}

TEST_F(VolatileTest, AStartWithoutAStoreMeasuresAndStoresLater)
{
    disk_.fail(FaultyDisk::Fault::write_error);
    auto& box = running_box();
    EXPECT_FALSE(box.outbox.is_usable());
    box.intake.accept(Lane::telemetry, readings(10));
    box.flush();
    disk_.repair();
    box.flush();
    box.intake.accept(Lane::telemetry, readings(10));
    box.flush();
    EXPECT_EQ(stored(Lane::telemetry).readings, 20U);
    EXPECT_TRUE(box.outbox.dictionary(11));
    EXPECT_EQ(box.outbox.epochs().size(), 1U);
}

}  // namespace
}  // namespace gateway
