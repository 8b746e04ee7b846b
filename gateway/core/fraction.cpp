#include "gateway/core/fraction.hpp"

#include "gateway/core/decimal.hpp"

#include <boost/multiprecision/cpp_int.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>

namespace gateway {

namespace {

using BigInt = boost::multiprecision::cpp_int;

constexpr auto largest = std::numeric_limits<std::int64_t>::max();

std::optional<std::int64_t> parse_integer(std::string_view text)
{
    std::int64_t number = 0;
    const auto* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(number) : std::nullopt;
}

}  // namespace

std::optional<Fraction> Fraction::of(std::int64_t numerator, std::int64_t denominator)
{
    if (denominator == 0) {
        return std::nullopt;
    }
    auto above = magnitude(numerator);
    auto below = magnitude(denominator);
    const auto common = std::gcd(above, below);
    above /= common;
    below /= common;
    if (!std::in_range<std::int64_t>(above) || !std::in_range<std::int64_t>(below)) {
        return std::nullopt;
    }
    Fraction fraction(static_cast<std::int64_t>(above));
    fraction.numerator_ =
        (numerator < 0) != (denominator < 0) ? -fraction.numerator_ : fraction.numerator_;
    fraction.denominator_ = static_cast<std::int64_t>(below);
    return fraction;
}

std::optional<Fraction> Fraction::parse(std::string_view text)
{
    if (const auto slash = text.find('/'); slash != std::string_view::npos) {
        const auto numerator = parse_integer(text.substr(0, slash));
        const auto denominator = parse_integer(text.substr(slash + 1));
        return numerator && denominator && *denominator > 0 ? of(*numerator, *denominator)
                                                            : std::nullopt;
    }
    const auto decimal = parse_decimal(text);
    if (!decimal) {
        return std::nullopt;
    }
    auto numerator = decimal->digits;
    std::int64_t denominator = 1;
    for (auto left = decimal->exponent; left > 0; --left) {
        if (__builtin_mul_overflow(numerator, 10, &numerator)) {
            return std::nullopt;
        }
    }
    for (auto left = decimal->exponent; left < 0; ++left) {  // divide by ten in lowest terms
        std::int64_t factor = 10;
        for (const std::int64_t prime : {2, 5}) {
            if (numerator % prime == 0) {
                numerator /= prime;
                factor /= prime;
            }
        }
        if (__builtin_mul_overflow(denominator, factor, &denominator)) {
            return std::nullopt;
        }
    }
    return of(numerator, denominator);
}

std::optional<Fraction> Fraction::from_double(double number)
{
    if (!std::isfinite(number)) {
        return std::nullopt;
    }
    const auto decimal = shortest(number);
    return parse(std::to_string(decimal.digits) + 'e' + std::to_string(decimal.exponent));
}

std::string Fraction::text() const
{
    const auto places = decimals(denominator_);
    std::int64_t digits = 0;
    if (!places ||
        __builtin_mul_overflow(numerator_, powers_of_ten[*places] / denominator_, &digits)) {
        return std::to_string(numerator_) + '/' + std::to_string(denominator_);
    }
    auto text = std::to_string(magnitude(digits));
    if (*places > 0) {
        text.insert(0, text.size() > *places ? 0 : *places + 1 - text.size(), '0');
        text.insert(text.size() - *places, 1, '.');
    }
    return digits < 0 ? '-' + text : text;
}

std::optional<Fraction> Fraction::times(const Fraction& other) const
{
    const auto left = of(numerator_, other.denominator_);
    const auto right = of(other.numerator_, denominator_);
    std::int64_t numerator = 0;
    std::int64_t denominator = 0;
    if (!left || !right ||
        __builtin_mul_overflow(left->numerator_, right->numerator_, &numerator) ||
        __builtin_mul_overflow(left->denominator_, right->denominator_, &denominator)) {
        return std::nullopt;
    }
    return of(numerator, denominator);
}

std::optional<Fraction> Fraction::plus(const Fraction& other) const
{
    BigInt numerator = BigInt(numerator_) * other.denominator_;
    numerator += BigInt(other.numerator_) * denominator_;
    BigInt denominator = BigInt(denominator_) * other.denominator_;
    const BigInt common = boost::multiprecision::gcd(numerator, denominator);
    numerator /= common;
    denominator /= common;
    if (boost::multiprecision::abs(numerator) > largest || denominator > largest) {
        return std::nullopt;
    }
    return of(static_cast<std::int64_t>(numerator), static_cast<std::int64_t>(denominator));
}

}  // namespace gateway
