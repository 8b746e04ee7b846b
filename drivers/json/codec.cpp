#include "drivers/json/codec.hpp"

#include "gateway/core/decimal.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace gateway::json_text {

namespace {

constexpr std::size_t longest_text = 160;
constexpr std::int64_t last_exact_double = std::int64_t{1} << 53;

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

std::size_t digits_at(std::string_view text)
{
    return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) -
                                    text.begin());
}

struct Shape {
    bool number = false;
    bool whole = false;  ///< digits only
};

/// [-]digits[.digits][e[+-]digits]
Shape shape_of(std::string_view text)
{
    const auto take = [&text](std::string_view characters) {
        const bool here = !text.empty() && characters.find(text.front()) != characters.npos;
        text.remove_prefix(here ? 1 : 0);
        return here;
    };
    const auto digits = [&text] {
        const auto count = digits_at(text);
        text.remove_prefix(count);
        return count > 0;
    };
    take("-");
    if (!digits()) {
        return {};
    }
    bool whole = true;
    if (take(".")) {
        whole = false;
        if (!digits()) {
            return {};
        }
    }
    if (take("eE")) {
        whole = false;
        take("+-");
        if (!digits()) {
            return {};
        }
    }
    return {text.empty(), whole};
}

template <typename T>
std::optional<T> parsed(std::string_view text)
{
    T number{};
    const auto* const end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, number);
    return result.ec == std::errc() && result.ptr == end ? std::optional(number) : std::nullopt;
}

std::optional<Value> whole_number(std::string_view text, Type type)
{
    if (const auto number = parsed<std::int64_t>(text)) {
        if (type == Type::float64 && std::abs(*number) <= last_exact_double) {
            return Value::float64(static_cast<double>(*number));
        }
        return type == Type::uint64 && *number < 0 ? std::nullopt
                                                   : std::optional(Value::integer(*number));
    }
    const auto number = parsed<std::uint64_t>(text);
    return number && type != Type::int64 ? std::optional(Value::unsigned_integer(*number))
                                         : std::nullopt;
}

/// 21.0 and 2.1e1 are whole numbers too; 21.5 is none.
std::optional<Value> whole_decimal(std::string_view text, Type type)
{
    const auto number = parse_decimal(text);
    const auto exponent = number ? number->exponent : -1;
    if (exponent < 0 || static_cast<std::size_t>(exponent) >= powers_of_ten.size()) {
        return std::nullopt;
    }
    std::int64_t whole = 0;
    if (__builtin_mul_overflow(number->digits, powers_of_ten[static_cast<std::size_t>(exponent)],
                               &whole) ||
        (type == Type::uint64 && whole < 0)) {
        return std::nullopt;
    }
    return Value::integer(whole);
}

std::string_view trimmed(std::string_view text)
{
    constexpr std::string_view space = " \t\r\n";
    const auto first = std::min(text.find_first_not_of(space), text.size());
    text.remove_prefix(first);
    return text.substr(0, text.find_last_not_of(space) + 1);
}

/// A switch in the words that devices use, in any case.
std::optional<Value> parse_flag(std::string_view text)
{
    constexpr std::array<std::pair<std::string_view, std::int64_t>, 6> words{
        {{"true", 1}, {"false", 0}, {"on", 1}, {"off", 0}, {"1", 1}, {"0", 0}}};
    const auto same = [](char a, char b) {
        return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    };
    for (const auto& [word, number] : words) {
        if (std::equal(text.begin(), text.end(), word.begin(), word.end(), same)) {
            return Value::integer(number);
        }
    }
    return std::nullopt;
}

std::optional<Value> parse_text(std::string_view text)
{
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; };
    const bool fits =
        text.size() <= longest_text && std::none_of(text.begin(), text.end(), is_control);
    return fits ? std::optional(Value::of_text(std::string(text))) : std::nullopt;
}

std::optional<Value> value_of(std::string_view text, Type type)
{
    switch (type) {
        case Type::int64:
        case Type::uint64:
        case Type::float64:
            return parse_number(text, type);
        case Type::flag:
            return parse_flag(text);
        case Type::text:
            return parse_text(text);
        case Type::count:
            break;  // a text or a number has no elements
    }
    return std::nullopt;
}

Finding bad(Cause cause)
{
    return {.quality = Quality::bad, .cause = cause};
}

Finding found(std::optional<Value> value, Cause otherwise = Cause::unexpected_reply)
{
    return value ? Finding{.value = std::move(*value)} : bad(otherwise);
}

std::int64_t count_in(const Document& document, const Node& container)
{
    std::int64_t count = 0;
    for (const auto* child = document.first(container); child != nullptr;
         child = document.next(*child, container)) {
        ++count;
    }
    return count;
}

/// What a device means by a text, a number or a flag, as a text.
std::string_view words_of(const Document& document, const Node& node)
{
    if (node.type == NodeType::flag) {
        return node.truth ? "true" : "false";
    }
    return trimmed(document.text(node));
}

}  // namespace

std::optional<Value> parse_number(std::string_view text, Type type)
{
    if (text.starts_with('+')) {
        text.remove_prefix(1);
    }
    const auto shape = shape_of(text);
    if (!shape.number) {
        return std::nullopt;
    }
    if (shape.whole) {
        return whole_number(text, type);
    }
    if (type != Type::float64) {
        return whole_decimal(text, type);
    }
    const auto number = parsed<double>(text);  // nothing when a double cannot hold it
    return number ? std::optional(Value::float64(*number == 0 ? 0 : *number)) : std::nullopt;
}

Finding extract(const Document& document, const Location& location)
{
    const auto there = find(document, location.path);
    if (there.twice) {
        return bad(Cause::unexpected_reply);
    }
    if (there.node == nullptr) {
        return {.quality = Quality::missing,
                .cause = location.optional ? Cause::none : Cause::unexpected_reply,
                .absent = true};
    }
    const auto& node = *there.node;
    if (node.type == NodeType::null) {
        return {.quality = Quality::missing, .cause = Cause::sentinel};
    }
    if (node.type == NodeType::array || node.type == NodeType::object) {
        return location.type == Type::count ? found(Value::integer(count_in(document, node)))
                                            : bad(Cause::unexpected_reply);
    }
    auto words = words_of(document, node);
    if (location.match) {
        re2::StringPiece group;
        if (!re2::RE2::FullMatch(re2::StringPiece(words.data(), words.size()), *location.match,
                                 &group)) {
            return bad(Cause::unexpected_reply);
        }
        words = {group.data(), group.size()};
    }
    if (!location.codes.empty()) {
        const auto code = location.codes.find(words);
        return code == location.codes.end() ? bad(Cause::bad_enum)
                                            : found(Value::integer(code->second));
    }
    const bool number_wanted = location.type != Type::text && location.type != Type::flag;
    if (node.type == NodeType::flag && number_wanted) {
        return bad(Cause::unexpected_reply);  // true is no number
    }
    return found(value_of(words, location.type),
                 node.type == NodeType::number ? Cause::not_a_number : Cause::unexpected_reply);
}

}  // namespace gateway::json_text
