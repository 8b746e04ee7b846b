#include "gateway/app/maintenance.hpp"

#include <gtest/gtest.h>

namespace gateway::maintenance_test {

using namespace std::chrono_literals;

namespace {

const BootId this_boot = BootId::random(), next_boot = BootId::random();
constexpr Instant noon{1'000s};
const ClockReading synced{WallTime(1'800'000'000s), ClockState::synced, 5};

std::string an_hour_of_cleaning()
{
    MaintenanceBook book;
    EXPECT_TRUE(book.begin("meter", noon, 1h, "cleaning"));
    return book.text(this_boot, noon, synced);
}

ClockReading later(Duration passed)
{
    auto clock = synced;
    clock.wall += std::chrono::duration_cast<std::chrono::milliseconds>(passed);
    return clock;
}

TEST(Maintenance, EndsWhenItsTimeIsOverOrWhenSomebodySaysSo)
{
    MaintenanceBook book;
    ASSERT_TRUE(book.begin("meter", noon, 1h, ""));
    ASSERT_TRUE(book.begin("pump", noon, 2h, "new filter"));
    EXPECT_EQ(book.next_end(), noon + 1h);
    EXPECT_EQ(book.take_over(noon + 59min), std::vector<std::string>());
    EXPECT_EQ(book.take_over(noon + 1h), std::vector<std::string>{"meter"});
    EXPECT_EQ(book.find("meter"), nullptr);
    ASSERT_NE(book.find("pump"), nullptr);
    EXPECT_EQ(book.find("pump")->why, "new filter");
    EXPECT_EQ(book.next_end(), noon + 2h);
    EXPECT_TRUE(book.end("pump"));
    EXPECT_EQ(book.next_end(), std::nullopt);
    EXPECT_FALSE(book.end("pump"));
}

TEST(Maintenance, ARestartOfTheProcessKeepsTheEndExactlyWhateverTheClock)
{
    const ClockReading unset;
    const MaintenanceBook book(an_hour_of_cleaning(), this_boot, noon + 20min, unset);
    ASSERT_NE(book.find("meter"), nullptr);
    EXPECT_EQ(book.find("meter")->until, noon + 1h);
    EXPECT_EQ(book.find("meter")->why, "cleaning");
    EXPECT_EQ(MaintenanceBook(an_hour_of_cleaning(), this_boot, noon + 1h, unset).find("meter"),
              nullptr);
}

TEST(Maintenance, AnotherBootIsJudgedByTheWallClock)
{
    const Instant started{30s};
    const MaintenanceBook book(an_hour_of_cleaning(), next_boot, started, later(20min));
    ASSERT_NE(book.find("meter"), nullptr);
    EXPECT_EQ(book.find("meter")->until, started + 40min);
    EXPECT_EQ(
        MaintenanceBook(an_hour_of_cleaning(), next_boot, started, later(61min)).find("meter"),
        nullptr);
}

TEST(Maintenance, NoClockMakesItLongerThanItWasMeantToBe)
{
    const Instant started{30s};
    for (const auto& clock : {ClockReading(), later(-300h)}) {
        const MaintenanceBook book(an_hour_of_cleaning(), next_boot, started, clock);
        ASSERT_NE(book.find("meter"), nullptr);
        EXPECT_EQ(book.find("meter")->until, started + 1h);
    }
}

TEST(Maintenance, WhatIsNoBookIsEmpty)
{
    for (const auto* text : {"", "{", "{}", "[1, {}, {\"device\":\"a\"}]",
                             R"([{"device":"a","length_ms":-5,"boot":"x"}])"}) {
        EXPECT_EQ(MaintenanceBook(text, this_boot, noon, synced).find("a"), nullptr) << text;
    }
}

TEST(Maintenance, LastsADayAtMost)
{
    MaintenanceBook book;
    ASSERT_TRUE(book.begin("meter", noon, 100h, std::string(500, 'x')));
    EXPECT_EQ(book.find("meter")->until, noon + 24h);
    EXPECT_EQ(book.find("meter")->why.size(), MaintenanceBook::longest_why);
}

}  // namespace

}  // namespace gateway::maintenance_test
