#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gateway {

/// 10^0 to 10^18.
inline constexpr auto powers_of_ten = [] {
    std::array<std::int64_t, 19> powers{1};
    for (std::size_t i = 1; i < powers.size(); ++i) {
        powers[i] = powers[i - 1] * 10;
    }
    return powers;
}();

constexpr std::uint64_t magnitude(std::int64_t number)
{
    return number < 0 ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
}

/// digits * 10^exponent.
struct Scientific {
    std::int64_t digits = 0;
    int exponent = 0;
};

/// [-]digits[.digits][e[+-]digits], all of `text`; trailing zeros go into the exponent. Nothing for
/// more than 63 bits of digits or an exponent of more than 15 bits.
std::optional<Scientific> parse_decimal(std::string_view text);

/// The shortest decimal that reads back as the same bits.
template <typename Float>
Scientific shortest(Float number)
{
    std::array<char, 32> text{};
    const auto end =
        std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::scientific)
            .ptr;
    // At most 17 digits and an exponent of three: always within the limits.
    return *parse_decimal({text.data(), static_cast<std::size_t>(end - text.data())});
}

/// A decimal the way RFC 8785 (ECMAScript) writes numbers: without trailing zeros, and without an
/// exponent from 1e-6 up to, not including, 1e21.
std::string decimal_text(bool negative, std::string_view digits, int exponent);
std::string decimal_text(Scientific number);

/// How many decimals a fraction with this positive denominator needs; nothing when 18 are not
/// enough.
std::optional<std::size_t> decimals(std::int64_t denominator);

}  // namespace gateway
