#include "gateway/config/version.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace gateway {

namespace {

constexpr std::string_view digits = "0123456789";

/// The next run of digits or of other characters; dots only separate.
std::string_view take_part(std::string_view& text)
{
    text.remove_prefix(std::min(text.find_first_not_of('.'), text.size()));
    const bool number = !text.empty() && digits.find(text[0]) != std::string_view::npos;
    const auto end = number ? text.find_first_not_of(digits) : text.find_first_of("0123456789.");
    const auto part = text.substr(0, end);
    text.remove_prefix(part.size());
    return part;
}

std::strong_ordering compare_parts(std::string_view left, std::string_view right)
{
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    const auto is_number = [](std::string_view part, std::uint64_t& out) {
        return std::from_chars(part.data(), part.data() + part.size(), out).ec == std::errc{};
    };
    return is_number(left, a) && is_number(right, b) ? a <=> b : left <=> right;
}

}  // namespace

std::strong_ordering compare_versions(std::string_view left, std::string_view right)
{
    while (!left.empty() || !right.empty()) {
        const auto order = compare_parts(take_part(left), take_part(right));
        if (order != std::strong_ordering::equal) {
            return order;
        }
    }
    return std::strong_ordering::equal;
}

}  // namespace gateway
