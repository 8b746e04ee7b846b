#include "drivers/ascii/checksum.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>
#include <utility>

namespace gateway::ascii {

namespace {

using Name = std::pair<std::string_view, Checksum>;

constexpr std::array<Name, 9> names{{{"nmea", Checksum::nmea},
                                     {"xor8", Checksum::xor8},
                                     {"sum8", Checksum::sum8},
                                     {"lrc8", Checksum::lrc8},
                                     {"crc16", Checksum::crc16},
                                     {"crc16-arc", Checksum::crc16_arc},
                                     {"crc16-ccitt", Checksum::crc16_ccitt},
                                     {"crc16-xmodem", Checksum::crc16_xmodem},
                                     {"crc16-ascii3", Checksum::crc16_ascii3}}};

std::uint16_t reflected_crc(std::string_view bytes, std::uint16_t crc)
{
    for (const char byte : bytes) {
        crc = static_cast<std::uint16_t>(crc ^ static_cast<unsigned char>(byte));
        for (int bit = 0; bit < 8; ++bit) {
            crc = static_cast<std::uint16_t>((crc & 1U) != 0 ? (crc >> 1) ^ 0xA001 : crc >> 1);
        }
    }
    return crc;
}

std::uint16_t straight_crc(std::string_view bytes, std::uint16_t crc)
{
    for (const char byte : bytes) {
        crc = static_cast<std::uint16_t>(crc ^ (static_cast<unsigned char>(byte) << 8));
        for (int bit = 0; bit < 8; ++bit) {
            crc = static_cast<std::uint16_t>((crc & 0x8000U) != 0 ? (crc << 1) ^ 0x1021 : crc << 1);
        }
    }
    return crc;
}

std::uint8_t sum(std::string_view bytes)
{
    return std::accumulate(bytes.begin(), bytes.end(), std::uint8_t{0}, [](auto total, char byte) {
        return static_cast<std::uint8_t>(total + static_cast<unsigned char>(byte));
    });
}

std::uint8_t exclusive_or(std::string_view bytes)
{
    return std::accumulate(bytes.begin(), bytes.end(), std::uint8_t{0}, [](auto total, char byte) {
        return static_cast<std::uint8_t>(total ^ static_cast<unsigned char>(byte));
    });
}

std::size_t width(Checksum kind)
{
    const bool one_byte = kind == Checksum::nmea || kind == Checksum::xor8 ||
                          kind == Checksum::sum8 || kind == Checksum::lrc8;
    return one_byte ? 2 : kind == Checksum::crc16_ascii3 ? 3 : 4;
}

bool same(Checksum kind, std::string_view text, std::uint16_t number)
{
    if (kind == Checksum::crc16_ascii3) {
        return text == written(kind, number);
    }
    std::uint16_t given = 0;
    const auto* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, given, 16);
    return parsed.ec == std::errc() && parsed.ptr == end && given == number;
}

}  // namespace

Checksum checksum_named(std::string_view name)
{
    const auto* const found = std::ranges::find(names, name, &Name::first);
    return found == names.end() ? Checksum::none : found->second;
}

std::uint16_t checksum_of(Checksum kind, std::string_view bytes)
{
    switch (kind) {
        case Checksum::none:
            return 0;
        case Checksum::nmea:
        case Checksum::xor8:
            return exclusive_or(bytes);
        case Checksum::sum8:
            return sum(bytes);
        case Checksum::lrc8:
            return static_cast<std::uint8_t>(-sum(bytes));
        case Checksum::crc16:
            return reflected_crc(bytes, 0xFFFF);
        case Checksum::crc16_arc:
        case Checksum::crc16_ascii3:
            return reflected_crc(bytes, 0);
        case Checksum::crc16_ccitt:
            return straight_crc(bytes, 0xFFFF);
        case Checksum::crc16_xmodem:
            return straight_crc(bytes, 0);
    }
    return 0;
}

std::string written(Checksum kind, std::uint16_t number)
{
    if (kind == Checksum::crc16_ascii3) {
        return {static_cast<char>(0x40 | (number >> 12)),
                static_cast<char>(0x40 | ((number >> 6) & 0x3F)),
                static_cast<char>(0x40 | (number & 0x3F))};
    }
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string text(width(kind), '0');
    for (auto at = text.rbegin(); at != text.rend(); ++at, number >>= 4) {
        *at = digits[number & 0xFU];
    }
    return text;
}

Checked check(Checksum kind, const Pattern& where, std::string_view line)
{
    const auto groups = where.groups(line);
    if (groups.count < 3 || groups[1].data() == nullptr) {
        return {.covered_end = line.size()};
    }
    const bool right = same(kind, groups[2], checksum_of(kind, groups[1]));
    return {
        .verdict = right ? Checked::Verdict::right : Checked::Verdict::wrong,
        .covered_end = static_cast<std::size_t>(groups[1].data() - line.data()) + groups[1].size()};
}

Pattern usual_place(Checksum kind, std::string_view start)
{
    const auto begin = "(?s)^" + quoted(start);
    if (kind == Checksum::nmea) {
        return Pattern((start.empty() ? std::string("^[$!]?") : begin) +
                       "([^*]*)\\*([0-9A-Fa-f]{2})\\s*$");
    }
    return Pattern(begin + (kind == Checksum::crc16_ascii3
                                ? "(.*)(...)$"
                                : "(.*)([0-9A-Fa-f]{" + std::to_string(width(kind)) + "})\\s*$"));
}

}  // namespace gateway::ascii
