#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gateway {

/// How far a reading can be trusted; the numbers are those on the wire (protocol.md, section 2).
enum class Quality : std::uint8_t { good, suspect, missing, bad, stale, comm_error, config_error };

constexpr std::size_t quality_count = 7;

/// Why a reading is not good; the numbers are those on the wire (protocol.md, section 2). A
/// device's own exception code N, or HTTP status, is `exception_base` + N.
enum class Cause : std::uint16_t {
    none,
    maintenance,
    out_of_range,
    rate,
    stuck,
    disagree,
    device_status,
    mismatch,
    recalled,
    unsigned_profile,
    timeout,
    crc,
    store_slow,
    thinned,
    clock,
    short_frame,
    unexpected_reply,
    unreachable,
    not_a_number,
    sentinel,
    bad_enum,
    dependency,
    late,
    parameter,
    disabled,
    exception_base = 256,
};

constexpr Cause exception_cause(std::uint8_t code)
{
    return static_cast<Cause>(static_cast<unsigned>(Cause::exception_base) + code);
}

/// "good", "comm_error", …
std::string_view to_string(Quality quality);
/// "timeout", "exception_2", …; "cause_N" for a number this release does not know.
std::string to_string(Cause cause);

}  // namespace gateway
