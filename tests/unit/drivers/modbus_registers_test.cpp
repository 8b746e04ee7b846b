#include "drivers/modbus/registers.hpp"
#include "tests/simulator/unit.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace gateway::modbus {
namespace {

std::optional<Value> decoded(Type type, const Bytes& bytes, Order order = Order::big)
{
    Encoding encoding{.type = type, .order = order};
    encoding.words = static_cast<std::uint16_t>(bytes.size() / 2);
    return decode(encoding, bytes);
}

TEST(ModbusRegisters, IntegersAreExactAtTheirEnds)
{
    EXPECT_EQ(decoded(Type::int16, {0x80, 0x00}), Value::integer(-32768));
    EXPECT_EQ(decoded(Type::uint16, {0xFF, 0xFF}), Value::integer(65535));
    EXPECT_EQ(decoded(Type::int32, {0xFF, 0xFF, 0xFF, 0xFE}), Value::integer(-2));
    EXPECT_EQ(decoded(Type::uint32, {0xFF, 0xFF, 0xFF, 0xFF}), Value::integer(4294967295));
    EXPECT_EQ(decoded(Type::int64, {0x80, 0, 0, 0, 0, 0, 0, 0}),
              Value::integer(std::numeric_limits<std::int64_t>::min()));
    EXPECT_EQ(decoded(Type::int64, {0, 0x20, 0, 0, 0, 0, 0, 1}),
              Value::integer(9007199254740993));  // 2^53 + 1, no double
    const auto largest = decoded(Type::uint64, Bytes(8, 0xFF));
    ASSERT_TRUE(largest);
    EXPECT_EQ(largest->kind(), Kind::uint64);
    EXPECT_EQ(largest->bits(), std::numeric_limits<std::uint64_t>::max());
}

TEST(ModbusRegisters, FloatsKeepEveryBit)
{
    // 230.4 as iEM3155 sends it: 17254, 26214.
    const auto volts = decoded(Type::float32, {0x43, 0x66, 0x66, 0x66});
    ASSERT_TRUE(volts);
    EXPECT_EQ(volts->kind(), Kind::float32);
    EXPECT_EQ(volts->as_float32(), 230.4F);
    const auto nan = decoded(Type::float32, {0x7F, 0xC0, 0x00, 0x01});
    ASSERT_TRUE(nan);
    EXPECT_EQ(nan->bits(), 0x7FC00001U);
    const auto wide = decoded(Type::float64, {0x3F, 0xB9, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9A});
    ASSERT_TRUE(wide);
    EXPECT_EQ(wide->as_float64(), 0.1);
}

TEST(ModbusRegisters, TheFourOrders)
{
    const auto expected = Value::integer(0x0A0B0C0D);
    EXPECT_EQ(decoded(Type::uint32, {0x0A, 0x0B, 0x0C, 0x0D}, Order::big), expected);
    EXPECT_EQ(decoded(Type::uint32, {0x0D, 0x0C, 0x0B, 0x0A}, Order::little), expected);
    EXPECT_EQ(decoded(Type::uint32, {0x0B, 0x0A, 0x0D, 0x0C}, Order::big_swapped), expected);
    EXPECT_EQ(decoded(Type::uint32, {0x0C, 0x0D, 0x0A, 0x0B}, Order::little_swapped), expected);
    EXPECT_EQ(decoded(Type::uint64, {7, 8, 5, 6, 3, 4, 1, 2}, Order::little_swapped),
              Value::integer(0x0102030405060708));
    EXPECT_EQ(decoded(Type::uint16, {0x0A, 0x0B}, Order::little_swapped), Value::integer(0x0A0B));
    EXPECT_EQ(decoded(Type::uint16, {0x0A, 0x0B}, Order::big_swapped), Value::integer(0x0B0A));
}

TEST(ModbusRegisters, BcdIsReadDigitByDigit)
{
    EXPECT_EQ(decoded(Type::bcd16, {0x12, 0x34}), Value::integer(1234));
    EXPECT_EQ(decoded(Type::bcd32, {0x98, 0x76, 0x54, 0x32}), Value::integer(98765432));
    EXPECT_EQ(decoded(Type::bcd64, {0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x56}),
              Value::integer(1234567890123456));
    EXPECT_EQ(decoded(Type::bcd64, {0, 0, 0, 0, 0, 0, 0, 0xA0}), std::nullopt);
    EXPECT_EQ(decoded(Type::bcd16, {0x12, 0x3A}), std::nullopt);
    EXPECT_EQ(decoded(Type::bcd32, {0xF0, 0, 0, 0}), std::nullopt);
}

TEST(ModbusRegisters, TextEndsAtNulOrSpaces)
{
    EXPECT_EQ(decoded(Type::text, {'i', 'E', 'M', '3', ' ', ' '}), Value::of_text("iEM3"));
    EXPECT_EQ(decoded(Type::text, {'i', 'E', 0, 0xFF}), Value::of_text("iE"));
    EXPECT_EQ(decoded(Type::text, {'E', 'i', '3', 'M'}, Order::big_swapped),
              Value::of_text("iEM3"));
    EXPECT_EQ(decoded(Type::text, {0, 0}), Value::of_text(""));
}

TEST(ModbusRegisters, TextOutsideAsciiIsNoValue)
{
    EXPECT_EQ(decoded(Type::text, {0xFF, 0xFF}), std::nullopt);
    EXPECT_EQ(decoded(Type::text, {'a', '\n'}), std::nullopt);
}

TEST(ModbusRegisters, BitFieldsComeOutAlone)
{
    Encoding encoding{.bit = 3, .bit_count = 1};
    EXPECT_EQ(decode(encoding, Bytes{0x00, 0x08}), Value::integer(1));
    EXPECT_EQ(decode(encoding, Bytes{0xFF, 0xF7}), Value::integer(0));
    encoding = {.bit = 8, .bit_count = 8};
    EXPECT_EQ(decode(encoding, Bytes{0xAB, 0xCD}), Value::integer(0xAB));
    encoding = {.type = Type::uint32, .words = 2, .bit = 0, .bit_count = 32};
    EXPECT_EQ(decode(encoding, Bytes{0xFF, 0xFF, 0xFF, 0xFF}), Value::integer(4294967295));
}

TEST(ModbusRegisters, AWrongNumberOfBytesIsNoValue)
{
    EXPECT_EQ(decode({.type = Type::int32, .words = 2}, Bytes{1, 2}), std::nullopt);
    EXPECT_EQ(decode({.type = Type::int32, .words = 2}, Bytes(6)), std::nullopt);
}

// What a device writes in any type and order is read back to the same bits.
TEST(ModbusRegisters, EveryValueSurvivesTheWire)
{
    std::mt19937_64 random(7);
    for (const auto type : {Type::int16, Type::uint16, Type::int32, Type::uint32, Type::int64,
                            Type::uint64, Type::float32, Type::float64}) {
        for (const auto order :
             {Order::big, Order::little, Order::big_swapped, Order::little_swapped}) {
            const Encoding encoding{.type = type, .order = order, .words = words_of(type)};
            for (int i = 0; i < 500; ++i) {
                Bytes bytes(2U * encoding.words);
                auto bits = random();
                for (auto& byte : bytes) {
                    byte = static_cast<std::uint8_t>(bits);
                    bits >>= 8;
                }
                const auto value = decode(encoding, bytes);
                ASSERT_TRUE(value);
                if (std::isnan(value->approximate())) {
                    continue;  // a NaN's payload does not pass through a float in the simulator
                }
                Bytes again;
                for (const auto word : simulator::encode(encoding, *value)) {
                    again.push_back(static_cast<std::uint8_t>(word >> 8));
                    again.push_back(static_cast<std::uint8_t>(word));
                }
                EXPECT_EQ(again, bytes);
            }
        }
    }
}

}  // namespace
}  // namespace gateway::modbus
