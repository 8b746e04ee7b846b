#include "gateway/core/decimal.hpp"

namespace gateway {

namespace {

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

}  // namespace

std::optional<Scientific> parse_decimal(std::string_view text)
{
    const bool negative = text.starts_with('-');
    text.remove_prefix(negative ? 1 : 0);
    Scientific number;
    int zeros = 0;  // held back: they count only when another digit follows
    bool after_point = false;
    bool digit_before = false;
    std::size_t at = 0;
    for (; at < text.size() && (is_digit(text[at]) || (text[at] == '.' && !after_point)); ++at) {
        if (text[at] == '.') {
            if (!digit_before) {
                return std::nullopt;
            }
            after_point = true;
            digit_before = false;
            continue;
        }
        digit_before = true;
        number.exponent -= after_point ? 1 : 0;
        if (text[at] == '0') {
            ++zeros;
            continue;
        }
        for (zeros = number.digits == 0 ? 0 : zeros; zeros >= 0; --zeros) {
            if (__builtin_mul_overflow(number.digits, 10, &number.digits)) {
                return std::nullopt;
            }
        }
        zeros = 0;
        if (__builtin_add_overflow(number.digits, text[at] - '0', &number.digits)) {
            return std::nullopt;
        }
    }
    if (!digit_before) {
        return std::nullopt;
    }
    number.exponent += zeros;
    text.remove_prefix(at);
    if (!text.empty()) {
        if (text[0] != 'e' && text[0] != 'E') {
            return std::nullopt;
        }
        text.remove_prefix(1);
        text.remove_prefix(text.starts_with('+') && !text.starts_with("+-") ? 1 : 0);
        std::int16_t exponent = 0;
        const auto* const end = text.data() + text.size();
        const auto parsed = std::from_chars(text.data(), end, exponent);
        if (parsed.ec != std::errc() || parsed.ptr != end) {
            return std::nullopt;
        }
        number.exponent += exponent;
    }
    if (number.digits == 0) {
        return Scientific{};
    }
    number.digits = negative ? -number.digits : number.digits;
    return number;
}

std::string decimal_text(bool negative, std::string_view digits, int exponent)
{
    while (digits.size() > 1 && digits.back() == '0') {
        digits.remove_suffix(1);
        ++exponent;
    }
    if (digits == "0") {
        return "0";
    }
    const auto count = static_cast<int>(digits.size());
    const int point = count + exponent;  // where the point stands, from the first digit
    std::string text(negative ? "-" : "");
    const auto zeros = [&text](int number) { text.append(static_cast<std::size_t>(number), '0'); };
    if (point > 21 || point < -5) {
        text += digits.substr(0, 1);
        if (count > 1) {
            (text += '.') += digits.substr(1);
        }
        (text += point > 0 ? "e+" : "e") += std::to_string(point - 1);
    } else if (point <= 0) {
        text += "0.";
        zeros(-point);
        text += digits;
    } else if (point >= count) {
        text += digits;
        zeros(point - count);
    } else {
        const auto whole = static_cast<std::size_t>(point);
        ((text += digits.substr(0, whole)) += '.') += digits.substr(whole);
    }
    return text;
}

std::string decimal_text(Scientific number)
{
    std::array<char, 24> digits{};
    const auto end =
        std::to_chars(digits.data(), digits.data() + digits.size(), magnitude(number.digits)).ptr;
    return decimal_text(number.digits < 0,
                        {digits.data(), static_cast<std::size_t>(end - digits.data())},
                        number.exponent);
}

std::optional<std::size_t> decimals(std::int64_t denominator)
{
    for (std::size_t i = 0; i < powers_of_ten.size(); ++i) {
        if (powers_of_ten[i] % denominator == 0) {
            return i;
        }
    }
    return std::nullopt;
}

}  // namespace gateway
