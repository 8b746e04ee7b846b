#include "gateway/receiver/json_text.hpp"

#include <array>
#include <cstdint>

namespace gateway {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

struct Lead {
    std::size_t length;      // of the whole character
    std::uint8_t low, high;  // what the second byte may be (Unicode 15, table 3-7)
};

Lead lead(unsigned char c)
{
    if (c >= 0xC2 && c <= 0xDF) {
        return {2, 0x80, 0xBF};
    }
    if (c >= 0xE0 && c <= 0xEF) {
        const auto low = static_cast<std::uint8_t>(c == 0xE0 ? 0xA0 : 0x80);
        return {3, low, static_cast<std::uint8_t>(c == 0xED ? 0x9F : 0xBF)};
    }
    if (c >= 0xF0 && c <= 0xF4) {
        const auto low = static_cast<std::uint8_t>(c == 0xF0 ? 0x90 : 0x80);
        return {4, low, static_cast<std::uint8_t>(c == 0xF4 ? 0x8F : 0xBF)};
    }
    return {0, 0, 0};
}

// How many bytes the well-formed character of several bytes at the front has; 0: none is there.
std::size_t character_length(std::string_view text)
{
    const auto expected = lead(static_cast<unsigned char>(text[0]));
    if (expected.length == 0 || text.size() < expected.length) {
        return 0;
    }
    for (std::size_t i = 1; i < expected.length; ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c < (i == 1 ? expected.low : 0x80) || c > (i == 1 ? expected.high : 0xBF)) {
            return 0;
        }
    }
    return expected.length;
}

void append_escape(std::string& out, unsigned char c)
{
    constexpr std::string_view hex = "0123456789abcdef";
    if (c == '"' || c == '\\') {
        out += '\\';
        out += static_cast<char>(c);
    } else if (c == '\n') {
        out += "\\n";
    } else {
        out += "\\u00";
        out += hex[c >> 4];
        out += hex[c & 0xF];
    }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text)
{
    out += '"';
    while (!text.empty()) {
        std::size_t plain = 0;
        while (plain < text.size() && is_plain(static_cast<unsigned char>(text[plain]))) {
            ++plain;
        }
        out.append(text.substr(0, plain));
        text.remove_prefix(plain);
        if (text.empty()) {
            break;
        }
        const auto c = static_cast<unsigned char>(text[0]);
        const auto length = c < 0x80 ? 0 : character_length(text);
        if (c < 0x80) {
            append_escape(out, c);
        } else {
            out.append(length == 0 ? replacement : text.substr(0, length));
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
    out += '"';
}

std::string json_string(std::string_view text)
{
    std::string out;
    append_json_string(out, text);
    return out;
}

}  // namespace gateway
