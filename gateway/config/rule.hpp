#pragma once

#include "gateway/config/literal.hpp"
#include "gateway/config/reader.hpp"

#include <span>
#include <string_view>

namespace gateway {

enum class RuleType : std::uint8_t {
    flag,
    integer,
    fraction,  ///< a number, a decimal or "5/9"; a Fraction afterwards
    percent,   ///< "2%"; a Fraction afterwards
    range,     ///< [low, high]; a list of two Fractions afterwards
    text,
    choice,
    duration,  ///< stays a text: `duration_of`
    table,
    map,     ///< keys fit `format`, every value fits the one rule of `keys`
    scalar,  ///< any flag, number or text
};

/// What one key of a closed table may hold: one row of a schema.
struct Rule {
    std::string_view key;
    RuleType type = RuleType::text;
    std::int64_t low = 0, high = 0;  ///< of an integer; `high` is the longest text or list too
    std::string_view choices = {};   ///< "rtu|tcp"
    const Format* format = &any_text;
    std::span<const Rule> keys = {};
    bool required = false;
    bool list = false;  ///< a list of such values
};

/// The words a schema is written in.
namespace rules {

constexpr Rule flag(std::string_view key)
{
    return {.key = key, .type = RuleType::flag};
}
constexpr Rule integer(std::string_view key, std::int64_t low, std::int64_t high)
{
    return {.key = key, .type = RuleType::integer, .low = low, .high = high};
}
constexpr Rule text(std::string_view key, const Format& format = any_text,
                    std::int64_t longest = 160)
{
    return {.key = key, .high = longest, .format = &format};
}
constexpr Rule choice(std::string_view key, std::string_view choices)
{
    return {.key = key, .type = RuleType::choice, .choices = choices};
}
constexpr Rule of_type(std::string_view key, RuleType type)
{
    return {.key = key, .type = type};
}
constexpr Rule duration(std::string_view key)
{
    return of_type(key, RuleType::duration);
}
constexpr Rule table(std::string_view key, std::span<const Rule> keys)
{
    return {.key = key, .type = RuleType::table, .keys = keys};
}
constexpr Rule map(std::string_view key, const Format& keys, std::span<const Rule> value)
{
    return {.key = key, .type = RuleType::map, .format = &keys, .keys = value};
}
constexpr Rule list(Rule rule)
{
    rule.list = true;
    return rule;
}
constexpr Rule must(Rule rule)
{
    rule.required = true;
    return rule;
}

}  // namespace rules

/// The keys of a closed table.
using Form = std::span<const Rule>;
/// Alternatives; the first key of a form, present, chooses it.
using Forms = std::span<const Form>;

/// Checks the keys of `table` and returns what is right, converted.
SettingTable conform(Table& table, Form form);
/// The same for a table-valued key that takes one of several forms.
SettingTable conform(const Field& field, Forms forms);

}  // namespace gateway
