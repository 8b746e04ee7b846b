#pragma once

#include "gateway/core/reading.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace gateway::json_text {

/// How a device writes its time.
struct TimeFormat {
    enum class Kind : std::uint8_t {
        automatic,  ///< a number is Unix time in s, ms, us or ns, by its size; a text is ISO 8601
        unix_seconds,
        unix_milliseconds,
        iso8601,
        age,      ///< how many seconds ago
        pattern,  ///< as of strftime(3)
    };
    Kind kind = Kind::automatic;
    std::string pattern;
    std::chrono::minutes zone{0};  ///< east of Greenwich, where the text names none
};

/// "unix", "unix_ms", "iso8601", "age", or a pattern of %Y %m %d %H %M %S and the like; nothing
/// for anything else.
std::optional<TimeFormat> parse_format(std::string_view text);
/// "+02:00", "-05:30", "Z".
std::optional<std::chrono::minutes> parse_zone(std::string_view text);

/// `now` is needed for an age only. Nothing for a text that is not of the format or not a time
/// between 1970 and 2200.
std::optional<WallTime> parse_time(std::string_view text, const TimeFormat& format,
                                   std::optional<WallTime> now);

}  // namespace gateway::json_text
