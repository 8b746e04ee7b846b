#include "gateway/core/event.hpp"
#include "gateway/core/lane.hpp"
#include "gateway/core/quality.hpp"
#include "gateway/core/reading.hpp"
#include "gateway/core/result.hpp"

#include <gtest/gtest.h>

#include <set>

namespace gateway {
namespace {

TEST(Names, OfCausesAreThoseOfTheProtocolPage)
{
    EXPECT_EQ(to_string(static_cast<Cause>(0)), "none");
    EXPECT_EQ(to_string(static_cast<Cause>(1)), "maintenance");
    EXPECT_EQ(to_string(static_cast<Cause>(9)), "unsigned");
    EXPECT_EQ(to_string(static_cast<Cause>(10)), "timeout");
    EXPECT_EQ(to_string(static_cast<Cause>(15)), "short_frame");
    EXPECT_EQ(to_string(static_cast<Cause>(21)), "dependency");
    EXPECT_EQ(to_string(static_cast<Cause>(24)), "disabled");
    EXPECT_EQ(to_string(static_cast<Cause>(25)), "cause_25");
    EXPECT_EQ(to_string(exception_cause(2)), "exception_2");
    EXPECT_EQ(to_string(static_cast<Cause>(256 + 404)), "exception_404");
    EXPECT_EQ(to_string(static_cast<Cause>(1256)), "cause_1256");
}

TEST(Names, OfQualitiesAreThoseOfTheProtocolPage)
{
    EXPECT_EQ(to_string(static_cast<Quality>(0)), "good");
    EXPECT_EQ(to_string(static_cast<Quality>(5)), "comm_error");
    EXPECT_EQ(to_string(static_cast<Quality>(6)), "config_error");
    EXPECT_EQ(to_string(static_cast<Quality>(7)), "unknown");
}

TEST(Names, OfLanesAreReadBack)
{
    EXPECT_EQ(static_cast<int>(Lane::alarm), 0);
    EXPECT_EQ(static_cast<int>(Lane::diagnostic), 4);
    for (const auto lane : all_lanes) {
        EXPECT_EQ(lane_from(to_string(lane)), lane);
    }
    EXPECT_FALSE(lane_from("Alarm"));
    EXPECT_FALSE(lane_from(""));
}

TEST(Names, OfSeveritiesAreThoseOfTheProtocolPage)
{
    EXPECT_EQ(to_string(Severity::info), "info");
    EXPECT_EQ(to_string(Severity::warning), "warning");
    EXPECT_EQ(to_string(Severity::error), "error");
}

TEST(Names, OfFaultsAreDistinct)
{
    std::set<std::string> seen;
    for (int code = 1; code <= static_cast<int>(Fault::no_space); ++code) {
        seen.insert(make_error_code(static_cast<Fault>(code)).message());
    }
    EXPECT_EQ(seen.size(), static_cast<std::size_t>(Fault::no_space));
    EXPECT_FALSE(seen.contains("unknown fault"));
}

TEST(Alias, IsDeviceThenRow)
{
    const Alias alias{3, 0x8001};
    EXPECT_EQ(alias.packed(), 0x00038001U);
    EXPECT_EQ(Alias::from(0x00038001U), alias);
}

TEST(Value, HasTheSmallestKindThatHoldsTheInteger)
{
    EXPECT_EQ(Value::integer(2147483647).kind(), Kind::int32);
    EXPECT_EQ(Value::integer(2147483648).kind(), Kind::int64);
    EXPECT_EQ(Value::integer(-2147483648LL).kind(), Kind::int32);
    EXPECT_EQ(Value::integer(-2147483649LL).kind(), Kind::int64);
    EXPECT_EQ(Value::unsigned_integer(5), Value::integer(5));
    EXPECT_EQ(Value::unsigned_integer(1ULL << 63).kind(), Kind::uint64);
    EXPECT_EQ(Value::integer(-1).bits(), ~0ULL);
    EXPECT_EQ(Value::float32(1.0F).bits(), 0x3F800000U);
}

}  // namespace
}  // namespace gateway
