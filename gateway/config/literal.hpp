#pragma once

#include "gateway/config/setting.hpp"
#include "gateway/core/reading.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gateway {

/// "5s", "300ms", "15m", "1h", "7d": a whole number and a unit, at most ten years.
std::optional<Duration> parse_duration(std::string_view text);
/// "512B", "64KiB", "16MiB", "2GiB", "1TiB".
std::optional<std::uint64_t> parse_bytes(std::string_view text);
/// "70%" is 7/10.
std::optional<Fraction> parse_percent(std::string_view text);
/// Exactly.
bool less(const Fraction& left, const Fraction& right);
/// "2027-01-31", a day that exists.
bool is_date(std::string_view text);

/// A duration setting; it was checked when the file was read.
Duration duration_of(const SettingTable& table, std::string_view key, Duration otherwise);

/// What a text must look like, and how a mistake names it.
struct Format {
    bool (*fits)(std::string_view text);
    std::string_view name;
};

extern const Format any_text;
extern const Format id_format;         ///< of a box, device or profile
extern const Format name_format;       ///< of a point, parameter or alarm
extern const Format slug_format;       ///< of a check or an acceptance test
extern const Format org_format;        ///< protocol.md, section 7
extern const Format version_format;    ///< "1.0.0"
extern const Format firmware_format;   ///< "*", ">=1.3"
extern const Format secret_format;     ///< the name of a secret
extern const Format date_format;       ///< "2027-01-31"
extern const Format path_format;       ///< absolute
extern const Format host_port_format;  ///< "10.0.0.5:502", "[::1]:502"
extern const Format url_format;        ///< "http://10.0.0.7"
extern const Format broker_format;     ///< "mqtts://platform.example:8883"
extern const Format oid_format;        ///< "1.3.6.1", or relative ".2.5.{i}"
extern const Format pointer_format;    ///< a JSON pointer, RFC 6901
extern const Format regex_format;      ///< compiles in RE2
extern const Format conforms_format;   ///< "il.spec.energy-meter/1"

/// Whether the whole text, bytes of any encoding, is what the RE2 expression describes.
bool matches_regex(std::string_view text, std::string_view pattern);

struct HostPort {
    std::string host;  ///< without brackets
    std::uint16_t port = 0;
};
/// "host:port" or "[v6]:port"; nothing for anything else.
std::optional<HostPort> parse_host_port(std::string_view text);
/// 127.0.0.0/8, ::1 or localhost.
bool is_loopback(std::string_view host);

/// The known word that is most like `word`; empty when none is.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& known);

}  // namespace gateway
