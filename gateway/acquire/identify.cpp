#include "gateway/acquire/identify.hpp"

#include "gateway/acquire/limits.hpp"
#include "gateway/config/literal.hpp"

#include <algorithm>
#include <charconv>
#include <compare>
#include <vector>

namespace gateway {

namespace {

/// Anywhere in the text; ^ and $ are its ends.
bool is_found(const std::string& pattern, std::string_view text)
{
    return matches_regex(text, "(?s:.*)(?:" + pattern + ")(?s:.*)");
}

bool fulfils(const Identify& identify, const std::optional<Value>& answer)
{
    if (!answer || answer->is_none()) {
        return false;
    }
    const Limits range(identify.low, identify.high, Fraction(1), Fraction(0));
    return range.side_of(*answer) == Side::inside &&
           (identify.matches.empty() || is_found(identify.matches, identity_text(*answer)));
}

/// "V1.3" and "Ver. 1.3" are 1.3.
std::string_view without_prefix(std::string_view version)
{
    return version.substr(std::min(version.find_first_of("0123456789"), version.size()));
}

/// The first numbers of "1.3.01-rc1": 1, 3, 1.
std::vector<std::uint64_t> numbers_of(std::string_view version)
{
    std::vector<std::uint64_t> numbers;
    while (!version.empty()) {
        std::uint64_t number = 0;
        const auto parsed =
            std::from_chars(version.data(), version.data() + version.size(), number);
        if (parsed.ec != std::errc()) {
            break;
        }
        numbers.push_back(number);
        version.remove_prefix(static_cast<std::size_t>(parsed.ptr - version.data()));
        if (version.empty() || version.front() != '.') {
            break;
        }
        version.remove_prefix(1);
    }
    while (!numbers.empty() && numbers.back() == 0) {
        numbers.pop_back();  // 1.0 is 1
    }
    return numbers;
}

bool is_digits(std::string_view text)
{
    return !text.empty() && std::all_of(text.begin(), text.end(),
                                        [](unsigned char c) { return c >= '0' && c <= '9'; });
}

std::string digits_of(std::string_view text)
{
    std::string digits(text);
    std::erase(digits, '.');
    while (digits.size() > 1 && digits.back() == '0') {
        digits.pop_back();
    }
    return digits;
}

std::strong_ordering compare_versions(std::string_view firmware, std::string_view other)
{
    firmware = without_prefix(firmware);
    if (is_digits(firmware) && other.find('.') != std::string_view::npos) {
        return digits_of(firmware) <=> digits_of(other);
    }
    return numbers_of(firmware) <=> numbers_of(other);
}

bool fits_one(std::string_view firmware, std::string_view term)
{
    const auto operator_size = std::min(term.find_first_not_of("<>="), term.size());
    const auto sign = term.substr(0, operator_size);
    const auto order = compare_versions(firmware, term.substr(operator_size));
    if (without_prefix(firmware).empty()) {
        return false;
    }
    return (sign == ">=" && std::is_gteq(order)) || (sign == ">" && std::is_gt(order)) ||
           (sign == "<=" && std::is_lteq(order)) || (sign == "<" && std::is_lt(order)) ||
           ((sign.empty() || sign == "=" || sign == "==") && std::is_eq(order));
}

}  // namespace

std::string identity_text(const Value& value)
{
    if (!value.is_text()) {
        const auto decimal = apply(value, Fraction(1), Fraction(0));
        return decimal ? decimal->text : std::string();
    }
    constexpr std::string_view padding(" \t\r\n\0", 5);
    const auto& text = value.text();
    const auto first = text.find_first_not_of(padding);
    if (first == std::string::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(padding) - first + 1);
}

bool firmware_fits(std::string_view firmware, std::string_view constraint)
{
    std::string_view rest = constraint;
    while (!rest.empty()) {
        const auto end = std::min(rest.find_first_of(", "), rest.size());
        const auto term = rest.substr(0, end);
        if (!term.empty() && term != "*" && !fits_one(firmware, term)) {
            return false;
        }
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return true;
}

Identified identify(const Profile& profile, const Identity& answers)
{
    Identified result;
    std::size_t asked = 0;
    std::size_t fulfilled = 0;
    for (std::size_t i = 0; i < profile.identify.size(); ++i) {
        const auto& entry = profile.identify[i];
        const auto answer = i < answers.size() ? answers[i] : std::nullopt;
        const bool speaks = entry.required || !entry.matches.empty() || entry.low || entry.high;
        const bool ok = fulfils(entry, answer);
        asked += speaks ? 1U : 0U;
        fulfilled += speaks && ok ? 1U : 0U;
        if (entry.required && !ok) {
            result.verdict = IdentityVerdict::mismatch;
        }
        if (answer && entry.captures == "serial") {
            result.serial = identity_text(*answer);
        }
        if (answer && entry.captures == "firmware") {
            result.firmware = identity_text(*answer);
        }
    }
    if (result.verdict == IdentityVerdict::mismatch) {
        return result;
    }
    if (!result.firmware.empty() && !firmware_fits(result.firmware, profile.firmware)) {
        result.verdict = IdentityVerdict::firmware_outside;
    } else if (asked > 0 && fulfilled == asked) {
        result.verdict = IdentityVerdict::verified;
    }
    return result;
}

}  // namespace gateway
