#include "gateway/tls/judged_time.hpp"

#include <gtest/gtest.h>

namespace gateway::tls {
namespace {

using namespace std::chrono_literals;

constexpr WallTime long_ago{};  // 1970, what a board without a battery says
const WallTime later = build_time() + 24h;

ClockReading reading(WallTime wall, ClockState state)
{
    return {.wall = wall, .state = state};
}

TEST(JudgedTime, C05_AClockThatIsNotSetSaysNoLessThanTheBuildOrWhatCameSigned)
{
    EXPECT_EQ(judged_at(reading(long_ago, ClockState::unset), long_ago), build_time());
    EXPECT_EQ(judged_at(reading(long_ago, ClockState::unset), later), later);
    EXPECT_EQ(judged_at(reading(later, ClockState::holdover), long_ago), later);
}

TEST(JudgedTime, ASynchronisedClockIsBelieved)
{
    EXPECT_EQ(judged_at(reading(long_ago, ClockState::synced), later), long_ago);
}

TEST(JudgedTime, TheBuildTimeIsOne)
{
    EXPECT_GT(build_time(), WallTime(1'700'000'000s));
    EXPECT_LT(build_time(), std::chrono::system_clock::now() + 24h);
}

}  // namespace
}  // namespace gateway::tls
