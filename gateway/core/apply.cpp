#include "gateway/core/decimal.hpp"
#include "gateway/core/fraction.hpp"

#include <boost/multiprecision/cpp_int.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace gateway {

namespace {

using BigInt = boost::multiprecision::cpp_int;

/// numerator / denominator, not reduced; the denominator is positive.
struct Ratio {
    std::int64_t numerator = 0;
    std::int64_t denominator = 1;
};

/// raw * scale + offset in 64 bits; nothing when that is too narrow.
std::optional<Ratio> narrow(Scientific raw, const Fraction& scale, const Fraction& offset)
{
    Ratio result{raw.digits, scale.denominator()};
    const auto exponent = static_cast<std::size_t>(std::abs(raw.exponent));
    auto overflow = exponent >= powers_of_ten.size();
    if (!overflow && exponent != 0) {
        auto& side = raw.exponent < 0 ? result.denominator : result.numerator;
        overflow = __builtin_mul_overflow(side, powers_of_ten[exponent], &side);
    }
    overflow =
        overflow || __builtin_mul_overflow(result.numerator, scale.numerator(), &result.numerator);
    if (!overflow && offset.numerator() != 0) {
        std::int64_t shift = 0;
        overflow =
            __builtin_mul_overflow(offset.numerator(), result.denominator, &shift) ||
            __builtin_mul_overflow(result.numerator, offset.denominator(), &result.numerator) ||
            __builtin_add_overflow(result.numerator, shift, &result.numerator) ||
            __builtin_mul_overflow(result.denominator, offset.denominator(), &result.denominator);
    }
    return overflow ? std::nullopt : std::optional(result);
}

/// The result when it is a decimal of at most 15 digits, as nearly every reading is: these are
/// doubles that print as they were read.
std::optional<Decimal> apply_narrow(Scientific raw, const Fraction& scale, const Fraction& offset)
{
    const auto ratio = narrow(raw, scale, offset);
    const auto places = ratio ? decimals(ratio->denominator) : std::nullopt;
    if (!places) {
        return std::nullopt;
    }
    std::int64_t digits = 0;
    if (__builtin_mul_overflow(ratio->numerator, powers_of_ten[*places] / ratio->denominator,
                               &digits) ||
        magnitude(digits) >= static_cast<std::uint64_t>(powers_of_ten[15])) {
        return std::nullopt;
    }
    return Decimal{
        .text = decimal_text({digits, -static_cast<int>(*places)}),
        // Both sides are doubles exactly, so this rounds once.
        .number = static_cast<double>(digits) / static_cast<double>(powers_of_ten[*places]),
        .json_number = true};
}

/// The double nearest to a quotient that does not end as a decimal, and so is never half-way
/// between two doubles.
double nearest(const BigInt& numerator, const BigInt& denominator)
{
    namespace mp = boost::multiprecision;
    const BigInt size = mp::abs(numerator);
    // 66 bits or one more of the quotient; the rest only says that it is not exact.
    const int shift = 66 - static_cast<int>(mp::msb(size)) + static_cast<int>(mp::msb(denominator));
    BigInt quotient =
        shift >= 0 ? BigInt((size << shift) / denominator) : BigInt(size / (denominator << -shift));
    const int bits = static_cast<int>(mp::msb(quotient)) + 1;
    const int precision = std::min(53, bits - shift + 1074);  // fewer when subnormal
    if (precision < 0) {
        return 0;
    }
    const int dropped = bits - precision;
    quotient >>= dropped - 1;
    const auto rounded = (static_cast<std::uint64_t>(quotient) + 1) >> 1;
    const double result = std::ldexp(static_cast<double>(rounded), dropped - shift);
    return numerator < 0 ? -result : result;
}

int remove_factor(BigInt& number, unsigned factor)
{
    int times = 0;
    for (; number % factor == 0; ++times) {
        number /= factor;
    }
    return times;
}

std::optional<Decimal> apply_wide(const BigInt& digits, int exponent, const Fraction& scale,
                                  const Fraction& offset)
{
    namespace mp = boost::multiprecision;
    BigInt numerator = digits * scale.numerator();
    BigInt denominator = scale.denominator();
    (exponent < 0 ? denominator : numerator) *=
        mp::pow(BigInt(10), static_cast<unsigned>(std::abs(exponent)));
    numerator = numerator * offset.denominator() + denominator * offset.numerator();
    denominator *= offset.denominator();
    const BigInt common = mp::gcd(numerator, denominator);
    numerator /= common;
    denominator /= common;

    BigInt rest = denominator;
    const int twos = remove_factor(rest, 2);
    const int fives = remove_factor(rest, 5);
    Decimal result;
    if (rest != 1) {
        result.number = nearest(numerator, denominator);
        if (!std::isfinite(result.number)) {
            return std::nullopt;
        }
        result.text = decimal_text(shortest(result.number));
        return result;
    }
    const int places = std::max(twos, fives);
    numerator *= mp::pow(BigInt(2), static_cast<unsigned>(places - twos)) *
                 mp::pow(BigInt(5), static_cast<unsigned>(places - fives));
    result.text = decimal_text(numerator < 0, BigInt(mp::abs(numerator)).str(), -places);
    const auto* const end = result.text.data() + result.text.size();
    const auto parsed = std::from_chars(result.text.data(), end, result.number);
    if (parsed.ec != std::errc()) {  // beyond the doubles
        const bool large = mp::abs(numerator) > denominator;
        result.number = large ? std::numeric_limits<double>::infinity() : 0;
        result.number = numerator < 0 ? -result.number : result.number;
        result.json_number = false;
        return result;
    }
    result.json_number = decimal_text(shortest(result.number)) == result.text;
    return result;
}

}  // namespace

std::optional<Decimal> apply(const Value& raw, const Fraction& scale, const Fraction& offset)
{
    Scientific number;
    switch (raw.kind()) {
        case Kind::none:
        case Kind::text:
            return std::nullopt;
        case Kind::int32:
        case Kind::int64:
            number.digits = raw.as_int64();
            break;
        case Kind::uint64:
            return apply_wide(raw.bits(), 0, scale, offset);
        case Kind::float32:
        case Kind::float64:
            if (!std::isfinite(raw.approximate())) {
                return std::nullopt;
            }
            number = raw.kind() == Kind::float32 ? shortest(raw.as_float32())
                                                 : shortest(raw.as_float64());
            break;
    }
    if (auto decimal = apply_narrow(number, scale, offset)) {
        return decimal;
    }
    return apply_wide(number.digits, number.exponent, scale, offset);
}

}  // namespace gateway
