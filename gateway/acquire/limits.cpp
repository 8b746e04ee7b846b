#include "gateway/acquire/limits.hpp"

#include "gateway/core/decimal.hpp"

#include <boost/multiprecision/cpp_int.hpp>

#include <algorithm>
#include <cmath>

namespace gateway {

namespace {

using BigInt = boost::multiprecision::cpp_int;

/// numerator / denominator with a positive denominator, however long.
struct Ratio {
    BigInt numerator, denominator;
};

/// The raw value that scale and offset turn into `limit`.
Ratio raw_limit(const Fraction& limit, const Fraction& scale, const Fraction& offset)
{
    const BigInt difference = BigInt(limit.numerator()) * offset.denominator() -
                              BigInt(offset.numerator()) * limit.denominator();
    Ratio raw{difference * scale.denominator(),
              BigInt(limit.denominator()) * offset.denominator() * scale.numerator()};
    if (raw.denominator < 0) {
        raw.numerator = -raw.numerator;
        raw.denominator = -raw.denominator;
    }
    return raw;
}

BigInt floor_of(const Ratio& ratio)
{
    BigInt quotient = ratio.numerator / ratio.denominator;  // rounds towards zero
    if (quotient * ratio.denominator > ratio.numerator) {
        --quotient;
    }
    return quotient;
}

BigInt ceiling_of(const Ratio& ratio)
{
    const BigInt down = floor_of(ratio);
    return down * ratio.denominator == ratio.numerator ? down : down + 1;
}

/// The limit as an integer type. One that no value of the type can pass or reach is held at its
/// end.
template <typename Number>
Number clamped(const BigInt& number)
{
    const BigInt low = std::numeric_limits<Number>::min();
    const BigInt high = std::numeric_limits<Number>::max();
    return static_cast<Number>(std::clamp(number, low, high));
}

/// Compares the shortest decimal of `number` with `limit`: negative, 0 or positive.
template <typename Float>
int compare(Float number, const Ratio& limit)
{
    const auto decimal = shortest(number);
    BigInt left = BigInt(decimal.digits) * limit.denominator;
    BigInt right = limit.numerator;
    const BigInt power =
        boost::multiprecision::pow(BigInt(10), static_cast<unsigned>(std::abs(decimal.exponent)));
    (decimal.exponent < 0 ? right : left) *= power;
    return left.compare(right);
}

/// The float whose shortest decimal is at the limit or next to it: not above it for `up` = 1, not
/// below it for `up` = -1.
template <typename Float>
Float nearest_inside(const Ratio& limit, Float up)
{
    constexpr auto most = std::numeric_limits<Float>::max();
    const auto about =
        limit.numerator.convert_to<double>() / limit.denominator.convert_to<double>();
    const auto far = up * std::numeric_limits<Float>::infinity();
    auto number = static_cast<Float>(
        std::clamp(about, -static_cast<double>(most), static_cast<double>(most)));
    for (int step = 0; step < 4 && std::abs(number) < most; ++step) {
        number = std::nextafter(number, far);
    }
    while (std::isfinite(number) && static_cast<Float>(compare(number, limit)) * up > 0) {
        number = std::nextafter(number, -far);
    }
    return number;
}

}  // namespace

Limits::Limits(const std::optional<Fraction>& low, const std::optional<Fraction>& high,
               const Fraction& scale, const Fraction& offset)
    : flipped_(scale.numerator() < 0)
{
    if (scale.numerator() == 0) {
        return;  // a constant has no raw limits
    }
    const auto& raw_low = flipped_ ? high : low;
    const auto& raw_high = flipped_ ? low : high;
    if (raw_low) {
        const auto limit = raw_limit(*raw_low, scale, offset);
        const auto whole = ceiling_of(limit);
        low_integer_ = clamped<std::int64_t>(whole);
        low_unsigned_ = clamped<std::uint64_t>(whole);
        low_float_ = nearest_inside<float>(limit, -1);
        low_double_ = nearest_inside<double>(limit, -1);
    }
    if (raw_high) {
        const auto limit = raw_limit(*raw_high, scale, offset);
        const auto whole = floor_of(limit);
        high_integer_ = clamped<std::int64_t>(whole);
        high_unsigned_ = clamped<std::uint64_t>(whole);
        high_float_ = nearest_inside<float>(limit, 1);
        high_double_ = nearest_inside<double>(limit, 1);
    }
}

}  // namespace gateway
