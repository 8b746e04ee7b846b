#pragma once

#include "gateway/core/value.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gateway {

/// An exact rational number in lowest terms with a positive denominator.
class Fraction {
public:
    constexpr Fraction() = default;
    // NOLINTNEXTLINE(google-explicit-constructor): a whole number is a fraction
    constexpr Fraction(std::int64_t whole) : numerator_(whole) {}

    /// "1000", "-0.1", "1e-3", "5/9", "-160/9". Nothing for other text, a zero denominator, or one
    /// that needs more than 63 bits.
    static std::optional<Fraction> parse(std::string_view text);
    /// By the shortest decimal that reads back as `number`; nothing for NaN, infinities, and out of
    /// range.
    static std::optional<Fraction> from_double(double number);
    static std::optional<Fraction> of(std::int64_t numerator, std::int64_t denominator);

    std::int64_t numerator() const { return numerator_; }
    std::int64_t denominator() const { return denominator_; }
    /// A decimal where it ends within 18 digits, else "n/d"; parse() reads it back.
    std::string text() const;
    double approximate() const
    {
        return static_cast<double>(numerator_) / static_cast<double>(denominator_);
    }

    /// Nothing when the exact result needs more than 63 bits.
    std::optional<Fraction> times(const Fraction& other) const;
    std::optional<Fraction> plus(const Fraction& other) const;
    friend bool operator==(const Fraction&, const Fraction&) = default;

private:
    std::int64_t numerator_ = 0;
    std::int64_t denominator_ = 1;
};

/// What a person sees of a raw number: raw * scale + offset, computed exactly and rounded at most
/// once (protocol.md, section 2, "The value that people see").
struct Decimal {
    std::string text;         ///< decimal text without binary noise
    double number = 0;        ///< the nearest double
    bool json_number = true;  ///< false: write it as a JSON string
};

/// Nothing when `raw` is none, text, NaN or infinite.
std::optional<Decimal> apply(const Value& raw, const Fraction& scale, const Fraction& offset);

}  // namespace gateway
