#include "drivers/transport/text_value.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <string>

namespace gateway {

namespace {

constexpr std::size_t longest_text = 160;
constexpr std::size_t longest_number = 40;

template <typename Number, typename... Base>
std::optional<Number> parsed(std::string_view digits, Base... base)
{
    Number number{};
    const auto* const end = digits.data() + digits.size();
    const auto result = std::from_chars(digits.data(), end, number, base...);
    return result.ec == std::errc() && result.ptr == end ? std::optional(number) : std::nullopt;
}

std::optional<Value> float_of(std::string_view text, char decimal)
{
    std::array<char, longest_number> digits{};
    if (text.size() > digits.size()) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '.' && decimal != '.') {
            return std::nullopt;
        }
        digits[i] = text[i] == decimal ? '.' : text[i];
    }
    const auto number = parsed<double>({digits.data(), text.size()});
    // "nan" and "inf" are how some devices say that they have no number; that is for `invalid`.
    return number && std::isfinite(*number) ? std::optional(Value::float64(*number)) : std::nullopt;
}

std::optional<Value> hex_of(std::string_view text)
{
    if (text.starts_with("0x") || text.starts_with("0X")) {
        text.remove_prefix(2);
    }
    const auto number = parsed<std::uint64_t>(text, 16);
    return number ? std::optional(Value::unsigned_integer(*number)) : std::nullopt;
}

}  // namespace

TextType text_type(std::string_view name, TextType otherwise)
{
    return name == "int64"     ? TextType::int64
           : name == "float64" ? TextType::float64
           : name == "text"    ? TextType::text
           : name == "hex"     ? TextType::hex
                               : otherwise;
}

std::string_view trimmed(std::string_view text)
{
    const auto blank = [](char letter) {
        const auto byte = static_cast<unsigned char>(letter);
        return byte <= ' ' || byte == 0x7F;
    };
    while (!text.empty() && blank(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && blank(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

std::optional<Value> value_of(std::string_view text, TextType type, char decimal)
{
    text = trimmed(text);
    if (text.empty() || text.size() > longest_text) {
        return std::nullopt;
    }
    if (type == TextType::text) {
        return Value::of_text(std::string(text));
    }
    if (type == TextType::hex) {
        return hex_of(text);
    }
    if (text.front() == '+') {
        text.remove_prefix(1);
        if (text.starts_with('-')) {
            return std::nullopt;
        }
    }
    if (type == TextType::float64) {
        return float_of(text, decimal);
    }
    const auto number = parsed<std::int64_t>(text);
    return number ? std::optional(Value::integer(*number)) : std::nullopt;
}

}  // namespace gateway
