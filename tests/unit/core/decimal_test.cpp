#include "gateway/core/fraction.hpp"

#include <gtest/gtest.h>

#include <boost/multiprecision/cpp_int.hpp>

#include <charconv>
#include <cmath>
#include <limits>
#include <random>

namespace gateway {
namespace {

using Rational = boost::multiprecision::cpp_rational;
using BigInt = boost::multiprecision::cpp_int;

constexpr auto infinity = std::numeric_limits<double>::infinity();

Fraction fraction(std::string_view text)
{
    return Fraction::parse(text).value();
}

std::string shown(const Value& raw, std::string_view scale = "1", std::string_view offset = "0")
{
    const auto decimal = apply(raw, fraction(scale), fraction(offset));
    return decimal ? decimal->text : "nothing";
}

/// 10^exponent, computed without the code under test.
Rational ten_to(int exponent)
{
    const Rational power(
        BigInt(boost::multiprecision::pow(BigInt(10), static_cast<unsigned>(std::abs(exponent)))));
    return exponent < 0 ? Rational(1) / power : power;
}

/// The exact number that a decimal text stands for.
Rational exact(std::string_view text)
{
    const auto e = text.find('e');
    int exponent = 0;
    if (e != std::string_view::npos) {
        exponent = std::stoi(std::string(text.substr(e + 1)));
        text = text.substr(0, e);
    }
    std::string digits(text);
    if (const auto point = digits.find('.'); point != std::string::npos) {
        exponent -= static_cast<int>(digits.size() - point - 1);
        digits.erase(point, 1);
    }
    const bool negative = digits.starts_with('-');
    digits.erase(0, negative ? 1 : 0);
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
    const Rational number = Rational(BigInt(digits)) * ten_to(exponent);
    return negative ? Rational(-number) : number;
}

/// The shortest digits: without a format to_chars writes large numbers in full.
template <typename Float>
Rational exact(Float number)
{
    std::array<char, 64> text{};
    const auto* end =
        std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::scientific)
            .ptr;
    return exact(std::string_view(text.data(), static_cast<std::size_t>(end - text.data())));
}

Rational exact(const Value& raw)
{
    return raw.kind() == Kind::float32   ? exact(raw.as_float32())
           : raw.kind() == Kind::float64 ? exact(raw.as_float64())
           : raw.kind() == Kind::uint64  ? Rational(raw.bits())
                                         : Rational(raw.as_int64());
}

bool ends_as_decimal(const Rational& number)
{
    BigInt rest = denominator(number);
    for (const unsigned prime : {2U, 5U}) {
        while (rest % prime == 0) {
            rest /= prime;
        }
    }
    return rest == 1;
}

double read(const std::string& text)
{
    double number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

/// A decimal with digits that change nothing: trailing zeros, leading zeros, a bare point.
bool has_idle_digits(const std::string& text)
{
    const auto mantissa = text.substr(0, text.find('e'));
    const bool point = mantissa.find('.') != std::string::npos;
    const auto whole = mantissa.substr(mantissa.starts_with('-') ? 1 : 0);
    return (point && (mantissa.back() == '0' || mantissa.back() == '.')) ||
           (whole.size() > 1 && whole[0] == '0' && whole[1] != '.');
}

/// The whole promise, against rational arithmetic.
void expect_promise(const Value& raw, const Fraction& scale, const Fraction& offset)
{
    const Rational result = exact(raw) * Rational(scale.numerator(), scale.denominator()) +
                            Rational(offset.numerator(), offset.denominator());
    const auto decimal = apply(raw, scale, offset);
    ASSERT_TRUE(decimal);
    SCOPED_TRACE(decimal->text + " of " + result.str());
    ASSERT_FALSE(has_idle_digits(decimal->text));
    if (ends_as_decimal(result)) {
        ASSERT_EQ(exact(std::string_view(decimal->text)), result);
    } else {
        ASSERT_EQ(read(decimal->text), decimal->number);
        ASSERT_TRUE(decimal->json_number);
    }
    // No double is nearer.
    const Rational distance = abs(Rational(decimal->number) - result);
    ASSERT_LE(distance, abs(Rational(std::nextafter(decimal->number, infinity)) - result));
    ASSERT_LE(distance, abs(Rational(std::nextafter(decimal->number, -infinity)) - result));
    // A number in JSON exactly when a reader that works with doubles writes the same text.
    ASSERT_EQ(decimal->json_number,
              exact(decimal->number) == exact(std::string_view(decimal->text)));
}

TEST(Apply, GivesTheExamplesOfTheProtocolPage)
{
    EXPECT_EQ(shown(Value::float32(4.25F), "1000"), "4250");
    EXPECT_EQ(shown(Value::integer(2304), "0.1"), "230.4");
    EXPECT_EQ(shown(Value::integer(95), "5/9", "-160/9"), "35");
    EXPECT_EQ(shown(Value::integer(72), "5/9", "-160/9"), "22.22222222222222");
    EXPECT_EQ(shown(Value::integer(10), "5/9"), "5.555555555555555");
    EXPECT_EQ(shown(Value::integer(1), "1/512"), "0.001953125");
    EXPECT_EQ(shown(Value::float32(230.4F)), "230.4");
    EXPECT_EQ(shown(Value::integer(7), "10", "-1000"), "-930");
}

TEST(Apply, IsNothingWithoutANumber)
{
    EXPECT_EQ(shown(Value()), "nothing");
    EXPECT_EQ(shown(Value::of_text("7")), "nothing");
    EXPECT_EQ(shown(Value::float32(std::numeric_limits<float>::quiet_NaN())), "nothing");
    EXPECT_EQ(shown(Value::float64(infinity)), "nothing");
    EXPECT_EQ(shown(Value::float64(std::numeric_limits<double>::max()), "1000/3"), "nothing");
}

TEST(Apply, WritesZeroInOneWay)
{
    EXPECT_EQ(shown(Value::integer(0), "0.001"), "0");
    EXPECT_EQ(shown(Value::float32(-0.0F), "0.1"), "0");
    EXPECT_EQ(shown(Value::integer(3), "1/3", "-1"), "0");
}

TEST(Apply, WritesExponentsAsRfc8785)
{
    EXPECT_EQ(shown(Value::integer(1), "1e-6"), "0.000001");
    EXPECT_EQ(shown(Value::integer(15), "1e-8"), "1.5e-7");
    EXPECT_EQ(shown(Value::integer(-1), "1e-7"), "-1e-7");
    EXPECT_EQ(shown(Value::float64(1e20)), "100000000000000000000");
    EXPECT_EQ(shown(Value::float64(1e21)), "1e+21");
    EXPECT_EQ(shown(Value::float64(-1.25e300)), "-1.25e+300");
    EXPECT_EQ(shown(Value::float64(5e-324)), "5e-324");
    EXPECT_EQ(shown(Value::float64(5e-324), "1/3"), "0");
    EXPECT_EQ(shown(Value::float64(5e-324), "2/3"), "5e-324");
}

TEST(Apply, LongIntegersAreExactAndStringsInJson)
{
    EXPECT_EQ(shown(Value::unsigned_integer(~0ULL)), "18446744073709551615");
    EXPECT_EQ(shown(Value::integer(std::numeric_limits<std::int64_t>::min())),
              "-9223372036854775808");
    const auto number = [](std::int64_t raw) {
        return apply(Value::integer(raw), Fraction(1), Fraction(0))->json_number;
    };
    EXPECT_TRUE(number(9007199254740991));
    EXPECT_TRUE(number(9007199254740992));
    EXPECT_FALSE(number(9007199254740993));
    EXPECT_TRUE(number(1'000'000'000'000'000'000));
    EXPECT_FALSE(number(std::int64_t{1} << 60));  // a double, but written 1152921504606847000
}

TEST(Apply, BeyondTheDoublesIsAStringInJson)
{
    const auto large = apply(Value::float64(-1e308), Fraction(1000), Fraction(0));
    EXPECT_EQ(large->text, "-1e+311");
    EXPECT_EQ(large->number, -infinity);
    EXPECT_FALSE(large->json_number);
    const auto small = apply(Value::float64(5e-324), fraction("0.001"), Fraction(0));
    EXPECT_EQ(small->text, "5e-327");
    EXPECT_EQ(small->number, 0);
    EXPECT_FALSE(small->json_number);
}

// The expected text is made of the integer's own digits: no arithmetic, so no noise.
TEST(Apply, NoDecimalScaleShowsBinaryNoise)
{
    std::mt19937_64 random(3);
    for (int i = 0; i < 30'000; ++i) {
        const auto wide = static_cast<std::int64_t>(random()) >> (random() % 64);
        const auto places = random() % 10;
        auto expected = std::to_string(wide < 0 ? 0 - static_cast<std::uint64_t>(wide)
                                                : static_cast<std::uint64_t>(wide));
        if (places > 0 && wide != 0) {
            expected.insert(0, expected.size() > places ? 0 : places + 1 - expected.size(), '0');
            expected.insert(expected.size() - places, 1, '.');
            expected.erase(expected.find_last_not_of('0') + 1);
            expected.erase(expected.find_last_not_of('.') + 1);
        }
        expected.insert(0, wide < 0 ? "-" : "");
        const auto scale = Fraction::parse("1e-" + std::to_string(places)).value();
        const auto decimal = apply(Value::integer(wide), scale, Fraction(0));
        if (decimal->text.find('e') != std::string::npos) {
            ASSERT_EQ(exact(std::string_view(decimal->text)), exact(std::string_view(expected)));
            continue;
        }
        ASSERT_EQ(decimal->text, expected);
    }
}

TEST(Apply, Float32SurvivesByItsShortestDecimal)
{
    std::mt19937_64 random(4);
    for (int i = 0; i < 30'000; ++i) {
        const auto raw = Value::from_bits(Kind::float32, static_cast<std::uint32_t>(random()));
        if (!std::isfinite(raw.as_float32())) {
            continue;
        }
        const auto decimal = apply(raw, Fraction(1), Fraction(0));
        float again = 0;
        std::from_chars(decimal->text.data(), decimal->text.data() + decimal->text.size(), again);
        ASSERT_EQ(again, raw.as_float32()) << decimal->text;
        ASSERT_EQ(exact(std::string_view(decimal->text)), exact(raw));
    }
}

Value any_value(std::mt19937_64& random)
{
    switch (random() % 4) {
        case 0:
            return Value::integer(static_cast<std::int64_t>(random()) >> (random() % 64));
        case 1:
            return Value::unsigned_integer(random());
        case 2: {
            const auto raw = Value::from_bits(Kind::float32, static_cast<std::uint32_t>(random()));
            return std::isfinite(raw.as_float32()) ? raw : Value::float32(0.1F);
        }
        default: {
            // Not so large that the result leaves the doubles.
            const auto raw = std::bit_cast<double>(random());
            return Value::float64(std::abs(raw) < 1e280 ? raw : 0.1);
        }
    }
}

TEST(Apply, IsExactOrRoundedOnce)
{
    std::mt19937_64 random(5);
    const std::string_view scales[] = {"1",         "0.1",   "1000",  "5/9",     "1/3",
                                       "-1/7",      "1/512", "0.36",  "10",      "-0.001",
                                       "1000000/7", "22/7",  "1e-18", "1/262144"};
    const std::string_view offsets[] = {"0", "-160/9", "273.15", "-40", "1/7", "1e15"};
    for (int i = 0; i < 3'000; ++i) {
        const auto scale = fraction(scales[random() % std::size(scales)]);
        const auto offset = fraction(offsets[random() % std::size(offsets)]);
        ASSERT_NO_FATAL_FAILURE(expect_promise(any_value(random), scale, offset));
    }
}

TEST(Apply, IsRoundedOnceWithFractionsOfAnySize)
{
    std::mt19937_64 random(6);
    for (int i = 0; i < 1'000; ++i) {
        const auto part = [&random] {
            return static_cast<std::int64_t>(random() >> 1 >> (random() % 63));
        };
        const auto scale = Fraction::of(part(), 1 + (part() >> 1)).value();
        const auto offset = Fraction::of(-part(), 1 + (part() >> 1)).value();
        ASSERT_NO_FATAL_FAILURE(expect_promise(any_value(random), scale, offset));
    }
}

}  // namespace
}  // namespace gateway
