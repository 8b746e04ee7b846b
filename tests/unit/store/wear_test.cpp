#include "gateway/store/wear.hpp"

#include "gateway/store/stretch.hpp"

#include "tests/unit/store/intake_fixture.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <unistd.h>

namespace gateway {
namespace {

/// A folder on a real disk: memory is not counted as written.
class WearTest : public OutboxTest {
protected:
    WearTest()
    {
        std::string pattern = SOURCE_DIR "/build/wear-test-XXXXXX";
        folder_ = mkdtemp(pattern.data()) == nullptr ? std::string() : pattern;
    }
    ~WearTest() override
    {
        close();
        std::filesystem::remove_all(folder_);
    }
    void write(std::size_t bytes)
    {
        const auto path = folder_ + "/file";
        const auto file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        const std::string content(bytes, 'x');
        EXPECT_EQ(::write(file, content.data(), bytes), static_cast<ssize_t>(bytes));
        EXPECT_EQ(fsync(file), 0);
        ::close(file);
    }
    static ClockReading day(int number)
    {
        return {WallTime(std::chrono::days(20'000 + number)), ClockState::synced, 5};
    }
    bool is_counted()
    {
        Wear wear(folder_);
        write(1 << 20);
        wear.look(day(0));
        return wear.written().total > 0;
    }

    std::string folder_;
};

TEST_F(WearTest, WhatIsWrittenIsCountedByDayAndKept)
{
    if (folder_.empty() || !is_counted()) {
        GTEST_SKIP() << "writes to this disk are not counted";
    }
    Wear wear(folder_);
    write(1 << 20);
    wear.look(day(0));
    EXPECT_GE(wear.written().today, 1U << 20);
    EXPECT_LT(wear.written().today, 2U << 20);
    write(2 << 20);
    wear.look(day(1));
    EXPECT_GE(wear.written().today, 2U << 20);
    EXPECT_LT(wear.written().yesterday, 2U << 20);
    EXPECT_EQ(wear.written().total, wear.written().today + wear.written().yesterday);
    EXPECT_EQ(wear.written().days, 2U);
    Wear next(folder_);
    next.restore(wear.text());
    write(1 << 20);
    next.look(day(1));
    EXPECT_GE(next.written().today, 3U << 20);
    EXPECT_EQ(next.written().days, 2U);
    next.restore(wear.text());  // once is enough
    EXPECT_LT(next.written().total, 6U << 20);
    next.look(day(0));  // a clock that is set back begins no day
    EXPECT_EQ(next.written().days, 2U);
}

TEST(WrittenBytes, AForecastFollowsTheRateSoFar)
{
    WrittenBytes written;
    EXPECT_EQ(written.days_left(1'000), std::nullopt);
    written.total = 200;
    written.days = 2;
    EXPECT_EQ(written.days_left(1'000), 8U);
    EXPECT_EQ(written.days_left(100), 0U);
    written.device_total = 400;
    EXPECT_EQ(written.days_left(1'000), 3U);
}

TEST(Stretch, S27_WithinTheAllowanceNothingWaitsLonger)
{
    constexpr std::uint64_t day = 144'000;  // bytes: 1,000 in ten minutes
    Stretch stretch(day);
    Stretch none(0);
    std::uint64_t written = 0;
    for (Instant now; now < Instant(24h); now += 10min) {
        EXPECT_DOUBLE_EQ(stretch.update(written, now), 1);
        EXPECT_DOUBLE_EQ(none.update(written * 1'000, now), 1);
        written += 990;
    }
    // A drain may use the day's allowance at once.
    EXPECT_DOUBLE_EQ(stretch.update(written += day / 2, Instant(24h)), 1);
}

TEST(Stretch, S27_OverBudgetBatchesWaitUntilTheRateIsAllowedAndNeverTooLong)
{
    constexpr std::uint64_t day = 144'000;
    for (const double times : {1.5, 3.0, 100.0}) {
        Stretch stretch(day);
        double written = 0;
        double in_the_end = 0;  // of the last two days
        for (Instant now; now < Instant(24h * 12); now += 10min) {
            const auto factor = stretch.update(static_cast<std::uint64_t>(written), now);
            EXPECT_GE(factor, 1);
            EXPECT_LE(factor, Stretch::most);
            const auto wrote = 1'000 * times / factor;  // half as many commits write half as much
            written += wrote;
            in_the_end += now >= Instant(24h * 10) ? wrote : 0;
        }
        if (times < Stretch::most) {
            EXPECT_LT(in_the_end, 2.2 * day) << times;
        } else {
            EXPECT_DOUBLE_EQ(stretch.factor(), Stretch::most);
        }
    }
}

TEST(Stretch, S27_GoesBackWhenLittleIsWritten)
{
    Stretch stretch(144'000);
    std::uint64_t written = 0;
    Instant now;
    for (; stretch.factor() < Stretch::most; now += 10min) {
        stretch.update(written += 144'000, now);
    }
    for (const auto end = now + 24h; now < end; now += 10min) {
        stretch.update(written, now);
    }
    EXPECT_DOUBLE_EQ(stretch.factor(), 1);
}

class StretchedIntake : public IntakeTest {
protected:
    StretchedIntake()
    {
        std::string pattern = SOURCE_DIR "/build/wear-test-XXXXXX";
        folder_ = mkdtemp(pattern.data()) == nullptr ? std::string() : pattern;
        outbox_settings_.directory = folder_ + "/state";
        spool_settings_.flash_bytes_per_day = 1;
    }
    ~StretchedIntake() override
    {
        stop_box();
        std::filesystem::remove_all(folder_);
    }

    std::string folder_;
};

TEST_F(StretchedIntake, S27_ABoxOverItsBudgetCommitsLessOftenAndSaysSo)
{
    auto& box = running_box();
    for (std::size_t minute = 1; minute <= 3 && box.intake.counters().stretch <= 1; ++minute) {
        box.intake.accept(Lane::telemetry, readings(1));
        box.clock.advance(61s);
        ASSERT_TRUE(box.comes([&] { return box.batches(Lane::telemetry) == minute; }));
        box.flush();  // the house is kept when this has its turn
    }
    if (box.intake.counters().written.total == 0) {
        GTEST_SKIP() << "writes to this disk are not counted";
    }
    ASSERT_TRUE(box.comes([&] { return box.intake.counters().stretch == Stretch::most; }));
    EXPECT_EQ(std::ranges::count(box.events, "flash-over-budget", &Event::code), 1);
    const auto before = box.batches(Lane::telemetry);
    box.intake.accept(Lane::telemetry, readings(1));
    box.clock.advance(59s);  // ten seconds are the interval
    box.intake.accept(Lane::alarm, readings(1));
    ASSERT_TRUE(box.comes([&] { return box.batches(Lane::alarm) == 1; }));  // as ever
    EXPECT_EQ(box.batches(Lane::telemetry), before + 1);  // due within a second: it goes along
    box.intake.accept(Lane::telemetry, readings(1));
    box.clock.advance(58s);
    box.intake.accept(Lane::alarm, readings(1));
    ASSERT_TRUE(box.comes([&] { return box.batches(Lane::alarm) == 2; }));
    EXPECT_EQ(box.batches(Lane::telemetry), before + 1);
    box.clock.advance(2s);
    EXPECT_TRUE(box.comes([&] { return box.batches(Lane::telemetry) == before + 2; }));
}

TEST_F(WearTest, TheCountersOutliveTheProcessAndTheStore)
{
    outbox().announce_epochs(moment());
    auto batch = pending(10);
    outbox().commit({{batch}, {}});
    outbox().set_state("written", "20000 5 6 7000000 8 9 3");
    close();
    EXPECT_GE(outbox().use().written.total, 7'000'000U);
    EXPECT_GE(outbox().use().written.days, 3U);
    close();
    const auto path = settings().directory + "/store/1/outbox.db";
    std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).write("damaged", 7);
    std::filesystem::remove(path + "-wal");
    EXPECT_LT(outbox().use().written.total, 7'000'000U);
    while (outbox().salvage().next == SalvageStep::Next::at_once) {
    }
    EXPECT_GE(outbox().use().written.total, 7'000'000U);
}

}  // namespace
}  // namespace gateway
