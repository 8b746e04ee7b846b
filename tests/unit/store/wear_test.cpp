#include "gateway/store/wear.hpp"

#include "tests/unit/store/outbox_fixture.hpp"

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
