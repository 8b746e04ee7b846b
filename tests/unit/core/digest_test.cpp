#include "gateway/core/digest.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string_view>

namespace gateway {
namespace {

Bytes bytes_of(std::string_view text)
{
    return {text.begin(), text.end()};
}

TEST(Crc32c, HasTheCheckValueOfCastagnoli)
{
    EXPECT_EQ(crc32c(bytes_of("123456789")), 0xE3069283U);
    EXPECT_EQ(crc32c({}), 0U);
}

TEST(Crc32c, AgreesWithRfc3720AppendixB4)
{
    Bytes rising;
    Bytes falling;
    for (std::uint8_t i = 0; i < 32; ++i) {
        rising.push_back(i);
        falling.push_back(static_cast<std::uint8_t>(31 - i));
    }
    const Bytes read_command{0x01, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,    0, 0, 0, 0,
                             0x14, 0,    0, 0, 0, 0, 4, 0, 0, 0, 0, 0x14, 0, 0, 0, 0x18,
                             0x28, 0,    0, 0, 0, 0, 0, 0, 2, 0, 0, 0,    0, 0, 0, 0};
    EXPECT_EQ(crc32c(Bytes(32, 0)), 0x8A9136AAU);
    EXPECT_EQ(crc32c(Bytes(32, 0xFF)), 0x62A8AB43U);
    EXPECT_EQ(crc32c(rising), 0x46DD794EU);
    EXPECT_EQ(crc32c(falling), 0x113FDB5CU);
    EXPECT_EQ(crc32c(read_command), 0xD9963A56U);
}

TEST(Crc32c, DoesNotDependOnHowTheBytesAreCut)
{
    const auto whole = bytes_of("four bytes of a field in the middle are taken as zero");
    for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
        const ByteView view(whole);
        EXPECT_EQ(Crc32c().add(view.first(cut)).add(view.subspan(cut)).value(), crc32c(whole));
    }
}

struct MixCase {
    std::uint64_t sequence;
    Alias alias;
    std::int64_t time;
    Value value;
    Quality quality;
    Cause cause;
    std::uint64_t expected;
};

// The numbers were computed apart from this code, from the formula of protocol.md, section 6.
TEST(Mix, IsWhatTheProtocolPageSays)
{
    const MixCase cases[] = {
        {1, {3, 0}, 0, Value::integer(2304), Quality::good, Cause::none, 0xcc42c30d90ed0475},
        {2, {3, 1}, 1000, Value::integer(-1), Quality::good, Cause::none, 0x740981ef54c07d9e},
        {96000,
         {65535, 0xFFFF},
         123456789,
         {},
         Quality::comm_error,
         Cause::timeout,
         0x2fc31f73a1f4db5d},
        {1ULL << 40,
         {1, 0x8000},
         86400000,
         Value::integer(std::numeric_limits<std::int64_t>::min()),
         Quality::good,
         Cause::none,
         0x9bd1e475a4fa88c8},
        {7,
         {2, 5},
         5,
         Value::unsigned_integer(~0ULL),
         Quality::suspect,
         exception_cause(2),
         0x44443b09a1485cee},
        {8, {2, 6}, 6, Value::float32(230.4F), Quality::good, Cause::none, 0xda88264cf275c686},
        {9, {2, 7}, 7, Value::float64(-0.0), Quality::bad, Cause::not_a_number, 0x8948c99cab885b17},
        {10,
         {0, 0},
         8,
         Value::of_text("Z\xC3\xBCrich"),
         Quality::good,
         Cause::none,
         0xea70cd0e3ec44074},
        {~0ULL,
         {4, 4},
         -1,
         Value::integer(0),
         Quality::config_error,
         static_cast<Cause>(65535),
         0x7ce00c06b71dc74d},
    };
    for (const auto& each : cases) {
        const Reading reading{.alias = each.alias,
                              .time = BootTime(std::chrono::milliseconds(each.time)),
                              .value = each.value,
                              .quality = each.quality,
                              .cause = each.cause,
                              .device_time = {}};
        EXPECT_EQ(mix(each.sequence, reading), each.expected) << "sequence " << each.sequence;
    }
}

TEST(Mix, LeavesTheDeviceTimeOut)
{
    Reading reading{.alias = {1, 1}, .time = {}, .value = Value::integer(1), .device_time = {}};
    const auto without = mix(1, reading);
    reading.device_time = WallTime(std::chrono::milliseconds(1));
    EXPECT_EQ(mix(1, reading), without);
}

}  // namespace
}  // namespace gateway
