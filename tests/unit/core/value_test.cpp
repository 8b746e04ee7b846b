#include "gateway/core/value.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace gateway {
namespace {

const std::string long_text = "a text that does not fit into a string without memory of its own";

TEST(Value, ACopyOfATextIsATextOfItsOwn)
{
    auto first = Value::of_text(long_text);
    const auto second = first;
    EXPECT_EQ(first, second);
    EXPECT_NE(&first.text(), &second.text());
    first = Value::of_text("other");
    EXPECT_EQ(second.text(), long_text);
    EXPECT_NE(first, second);
    const auto& itself = first;
    first = itself;
    EXPECT_EQ(first.text(), "other");
    first = Value::integer(1);
    EXPECT_EQ(first, Value::integer(1));
    EXPECT_EQ(first.text(), "");
}

TEST(Value, ATextCanBeMoved)
{
    auto first = Value::of_text(long_text);
    const auto second = std::move(first);
    EXPECT_EQ(second.text(), long_text);
}

TEST(Value, OnlyEqualTextsAreEqual)
{
    EXPECT_EQ(Value::of_text(""), Value::of_text(""));
    EXPECT_NE(Value::of_text("1"), Value::of_text("2"));
    EXPECT_NE(Value::of_text("1"), Value::integer(1));
    EXPECT_NE(Value::of_text(""), Value());
}

TEST(Value, EqualIntegersAreEqualHoweverTheyCame)
{
    EXPECT_EQ(Value::integer(7), Value::unsigned_integer(7));
    EXPECT_EQ(Value::unsigned_integer(~0ULL).kind(), Kind::uint64);
    EXPECT_NE(Value::unsigned_integer(~0ULL), Value::integer(-1));
}

}  // namespace
}  // namespace gateway
