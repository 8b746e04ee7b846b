#include "gateway/acquire/limits.hpp"

#include "gateway/core/decimal.hpp"

#include <gtest/gtest.h>
#include <boost/multiprecision/cpp_int.hpp>

#include <cmath>
#include <random>

namespace gateway::limits_test {

namespace {

using Rational = boost::multiprecision::cpp_rational;

Rational exact(const Fraction& fraction)
{
    return Rational(fraction.numerator(), fraction.denominator());
}

Rational exact(Scientific number)
{
    const Rational power = boost::multiprecision::pow(
        boost::multiprecision::cpp_int(10), static_cast<unsigned>(std::abs(number.exponent)));
    return number.exponent < 0 ? Rational(number.digits) / power : Rational(number.digits) * power;
}

Rational exact(const Value& raw)
{
    switch (raw.kind()) {
        case Kind::float32:
            return exact(shortest(raw.as_float32()));
        case Kind::float64:
            return exact(shortest(raw.as_float64()));
        case Kind::uint64:
            return Rational(raw.bits());
        default:
            return Rational(raw.as_int64());
    }
}

TEST(Limits, ADecimalLimitHoldsForTheFloatThatReadsTheSame)
{
    const Limits limits(Fraction::parse("60.1"), Fraction::parse("330.1"), 1, 0);
    EXPECT_EQ(limits.side_of(Value::float32(330.1F)), Side::inside)
        << "as a double it is 330.10001";
    EXPECT_EQ(limits.side_of(Value::float32(std::nextafter(330.1F, 400.F))), Side::above);
    EXPECT_EQ(limits.side_of(Value::float32(60.1F)), Side::inside);
    EXPECT_EQ(limits.side_of(Value::float32(std::nextafter(60.1F, 0.F))), Side::below);
    EXPECT_EQ(limits.side_of(Value::float64(330.1)), Side::inside);
}

TEST(Limits, ScaleAndOffsetAreAppliedExactly)
{
    const auto fahrenheit = [](const char* low, const char* high) {
        return Limits(Fraction::parse(low), Fraction::parse(high), *Fraction::parse("5/9"),
                      *Fraction::parse("-160/9"));
    };
    const auto limits = fahrenheit("-50", "80");  // -58 to 176 degrees Fahrenheit
    EXPECT_EQ(limits.side_of(Value::integer(-58)), Side::inside);
    EXPECT_EQ(limits.side_of(Value::integer(-59)), Side::below);
    EXPECT_EQ(limits.side_of(Value::integer(176)), Side::inside);
    EXPECT_EQ(limits.side_of(Value::integer(177)), Side::above);
}

TEST(Limits, ANegativeScaleTurnsThemRound)
{
    const Limits limits(Fraction(-10), Fraction(20), -1, 0);
    EXPECT_EQ(limits.side_of(Value::integer(-21)), Side::above);
    EXPECT_EQ(limits.side_of(Value::integer(11)), Side::below);
    EXPECT_EQ(limits.side_of(Value::integer(10)), Side::inside);
}

TEST(Limits, NoLimitLetsEverythingPass)
{
    const Limits limits({}, {}, 1, 0);
    EXPECT_EQ(limits.side_of(Value::unsigned_integer(~0ULL)), Side::inside);
    EXPECT_EQ(limits.side_of(Value::integer(std::numeric_limits<std::int64_t>::min())),
              Side::inside);
    EXPECT_EQ(limits.side_of(Value::of_text("x")), Side::inside);
}

TEST(Limits, AgreeWithExactArithmeticForRandomValuesNearThem)
{
    std::mt19937_64 random(11);
    const auto below = [&random](std::int64_t end) {
        return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(end));
    };
    for (int round = 0; round < 2000; ++round) {
        const auto low = *Fraction::of(below(2'000'000) - 1'000'000, 1 + below(1000));
        const auto high = *low.plus(*Fraction::of(below(1'000'000), 1 + below(1000)));
        const auto scale =
            *Fraction::of((below(2) == 0 ? 1 : -1) * (1 + below(1000)), 1 + below(1000));
        const auto offset = *Fraction::of(below(2001) - 1000, 1 + below(9));
        const Limits limits(low, high, scale, offset);
        const auto& limit = below(2) == 0 ? low : high;
        const Rational quotient = (exact(limit) - exact(offset)) / exact(scale);
        const auto near = static_cast<double>(quotient);
        const auto step = static_cast<int>(below(5)) - 2;
        auto single = static_cast<float>(near);
        auto wide = near;
        for (int i = 0; i < std::abs(step); ++i) {
            single = std::nextafter(single, step < 0 ? -INFINITY : INFINITY);
            wide = std::nextafter(wide, step < 0 ? -INFINITY : INFINITY);
        }
        for (const auto& raw : {Value::float32(single), Value::float64(wide),
                                Value::integer(std::llround(near) + step)}) {
            const Rational value = exact(raw) * exact(scale) + exact(offset);
            const auto expected = value < exact(low)    ? Side::below
                                  : value > exact(high) ? Side::above
                                                        : Side::inside;
            ASSERT_EQ(limits.side_of(raw), expected)
                << raw.approximate() << " in " << low.text() << " to " << high.text() << " by "
                << scale.text() << " + " << offset.text();
        }
    }
}

}  // namespace

}  // namespace gateway::limits_test
