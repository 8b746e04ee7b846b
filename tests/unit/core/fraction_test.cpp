#include "gateway/core/fraction.hpp"

#include <gtest/gtest.h>

#include <boost/multiprecision/cpp_int.hpp>

#include <limits>
#include <random>

namespace gateway {
namespace {

using Rational = boost::multiprecision::cpp_rational;

constexpr auto largest = std::numeric_limits<std::int64_t>::max();
constexpr auto smallest = std::numeric_limits<std::int64_t>::min();

Rational rational(const Fraction& fraction)
{
    return Rational(fraction.numerator(), fraction.denominator());
}

void expect_parts(std::string_view text, std::int64_t numerator, std::int64_t denominator)
{
    const auto fraction = Fraction::parse(text);
    ASSERT_TRUE(fraction) << text;
    EXPECT_EQ(fraction->numerator(), numerator) << text;
    EXPECT_EQ(fraction->denominator(), denominator) << text;
}

TEST(Fraction, IsParsedExactly)
{
    expect_parts("1000", 1000, 1);
    expect_parts("0", 0, 1);
    expect_parts("-0", 0, 1);
    expect_parts("0.000", 0, 1);
    expect_parts("-0.1", -1, 10);
    expect_parts("1e-3", 1, 1000);
    expect_parts("1E+3", 1000, 1);
    expect_parts("2.50", 5, 2);
    expect_parts("5/9", 5, 9);
    expect_parts("-160/9", -160, 9);
    expect_parts("10/4", 5, 2);
    expect_parts("1/512", 1, 512);
    expect_parts("0.001953125", 1, 512);
    expect_parts("9223372036854775807", largest, 1);
    expect_parts("9.223372036854775807e18", largest, 1);
    expect_parts("5e-19", 1, 2'000'000'000'000'000'000);
    expect_parts("1e18", 1'000'000'000'000'000'000, 1);
    expect_parts("-9223372036854775807/9223372036854775807", -1, 1);
}

TEST(Fraction, RefusesOtherText)
{
    for (const auto* text : {"",
                             "-",
                             "+1",
                             " 1",
                             "1 ",
                             ".5",
                             "1.",
                             "1.e3",
                             "1..2",
                             "1e",
                             "1e+-3",
                             "1e++3",
                             "0x10",
                             "nan",
                             "inf",
                             "1/0",
                             "1/-2",
                             "1/",
                             "/2",
                             "1/2/3",
                             "1.5/2",
                             "9223372036854775808",
                             "-9223372036854775808",
                             "1e19",
                             "1e-19",
                             "1e99999",
                             "0.12345678901234567890123",
                             "9223372036854775808/3"}) {
        EXPECT_FALSE(Fraction::parse(text)) << text;
    }
}

TEST(Fraction, IsWrittenAsADecimalWhereItEnds)
{
    const auto text = [](std::int64_t numerator, std::int64_t denominator) {
        return Fraction::of(numerator, denominator)->text();
    };
    EXPECT_EQ(text(1, 10), "0.1");
    EXPECT_EQ(text(-1, 10), "-0.1");
    EXPECT_EQ(text(-12345, 100), "-123.45");
    EXPECT_EQ(text(1000, 1), "1000");
    EXPECT_EQ(text(1, 512), "0.001953125");
    EXPECT_EQ(text(5, 9), "5/9");
    EXPECT_EQ(text(-160, 9), "-160/9");
    EXPECT_EQ(text(1, 1'000'000'000'000'000'000), "0.000000000000000001");
    EXPECT_EQ(text(1, std::int64_t{1} << 19), "1/524288");
    EXPECT_EQ(text(0, 5), "0");
    EXPECT_EQ(text(largest, 10), "922337203685477580.7");
    EXPECT_EQ(text(largest, 5), "9223372036854775807/5");
}

TEST(Fraction, OfIsInLowestTermsWithAPositiveDenominator)
{
    EXPECT_EQ(Fraction::of(6, -4), Fraction::of(-3, 2));
    EXPECT_EQ(Fraction::of(0, -7), Fraction(0));
    EXPECT_FALSE(Fraction::of(1, 0));
    EXPECT_EQ(Fraction::of(smallest, 2), Fraction(smallest / 2));
    EXPECT_EQ(Fraction::of(smallest, smallest), Fraction(1));
    EXPECT_FALSE(Fraction::of(smallest, 1));
    EXPECT_FALSE(Fraction::of(1, smallest));
}

TEST(Fraction, OfADoubleIsItsShortestDecimal)
{
    EXPECT_EQ(Fraction::from_double(0.1), Fraction::of(1, 10));
    EXPECT_EQ(Fraction::from_double(-0.36), Fraction::of(-9, 25));
    EXPECT_EQ(Fraction::from_double(-0.0), Fraction(0));
    EXPECT_EQ(Fraction::from_double(9e15), Fraction(9'000'000'000'000'000));
    EXPECT_EQ(Fraction::from_double(60000), Fraction(60000));
    EXPECT_EQ(Fraction::from_double(1.5e-5), Fraction::of(3, 200'000));
    EXPECT_FALSE(Fraction::from_double(1e300));
    EXPECT_FALSE(Fraction::from_double(1e-300));
    EXPECT_FALSE(Fraction::from_double(std::numeric_limits<double>::quiet_NaN()));
    EXPECT_FALSE(Fraction::from_double(-std::numeric_limits<double>::infinity()));
}

/// Numerator and denominator of all sizes, so that products both fit and do not.
Fraction any_fraction(std::mt19937_64& random)
{
    const auto part = [&random] {
        return static_cast<std::int64_t>(random() >> 1 >> (random() % 63));
    };
    const auto fraction = Fraction::of(part(), 1 + (part() >> 1));
    return random() % 2 == 0 ? *fraction : *Fraction(0).plus(*fraction->times(Fraction(-1)));
}

void expect_exact(const std::optional<Fraction>& result, const Rational& exact)
{
    const bool fits = abs(numerator(exact)) <= largest && denominator(exact) <= largest;
    ASSERT_EQ(result.has_value(), fits) << exact;
    if (fits) {
        ASSERT_EQ(rational(*result), exact);
    }
}

TEST(Fraction, IsMultipliedAndAddedExactlyOrNotAtAll)
{
    std::mt19937_64 random(1);
    for (int i = 0; i < 5'000; ++i) {
        const auto left = any_fraction(random);
        const auto right = any_fraction(random);
        ASSERT_NO_FATAL_FAILURE(expect_exact(left.times(right), rational(left) * rational(right)));
        ASSERT_NO_FATAL_FAILURE(expect_exact(left.plus(right), rational(left) + rational(right)));
    }
}

TEST(Fraction, ItsTextReadsBack)
{
    std::mt19937_64 random(2);
    for (int i = 0; i < 5'000; ++i) {
        const auto fraction = any_fraction(random);
        ASSERT_EQ(Fraction::parse(fraction.text()), fraction) << fraction.text();
    }
}

}  // namespace
}  // namespace gateway
