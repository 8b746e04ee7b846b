#pragma once

#include <charconv>
#include <string>
#include <string_view>

namespace gateway {

/// Appends `text` as a JSON string. What is not UTF-8 becomes U+FFFD, so that one bad text of a
/// device cannot spoil a line.
void append_json_string(std::string& out, std::string_view text);
std::string json_string(std::string_view text);

/// Appends a number in its shortest form that reads back.
template <typename Number>
void append_number(std::string& out, Number number)
{
    char digits[32];
    const auto end = std::to_chars(std::begin(digits), std::end(digits), number).ptr;
    out.append(std::begin(digits), end);
}

}  // namespace gateway
