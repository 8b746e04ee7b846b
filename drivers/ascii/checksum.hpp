#pragma once

#include "drivers/transport/pattern.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gateway::ascii {

/// How a line proves that it is whole.
enum class Checksum : std::uint8_t {
    none,
    nmea,  ///< NMEA 0183: xor8 between $ and *
    xor8,
    sum8,
    lrc8,          ///< the complement of sum8: all bytes and it add up to 0
    crc16,         ///< Modbus: 0xA001 from 0xFFFF
    crc16_arc,     ///< 0xA001 from 0
    crc16_ccitt,   ///< 0x1021 from 0xFFFF
    crc16_xmodem,  ///< 0x1021 from 0
    crc16_ascii3,  ///< crc16_arc in three characters, of SDI-12 (1.4, section 4.4.12.3) and Vaisala
};

/// "nmea", "crc16-ascii3", …; none for a name that the schema does not know.
Checksum checksum_named(std::string_view name);

/// The number over these bytes; 0 for none.
std::uint16_t checksum_of(Checksum kind, std::string_view bytes);

/// How a device writes the number: hexadecimal digits, or the three characters.
std::string written(Checksum kind, std::uint16_t number);

/// Which part of a line counts, and what its checksum says of it.
struct Checked {
    enum class Verdict : std::uint8_t { right, wrong, absent };
    Verdict verdict = Verdict::absent;
    std::size_t covered_end = 0;  ///< what lies behind it is the checksum's; the line's when absent
};

/// `where` has two groups: the bytes covered, and the checksum as written.
Checked check(Checksum kind, const Pattern& where, std::string_view line);

/// Where the checksum of a line that starts with `start` stands unless the profile says otherwise:
/// behind `*` for NMEA, else in its last characters.
Pattern usual_place(Checksum kind, std::string_view start);

}  // namespace gateway::ascii
