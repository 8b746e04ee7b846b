#pragma once

#include "drivers/transport/pattern.hpp"
#include "gateway/core/reading.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace gateway::ascii {

/// Where a line says when it was made.
struct Clockwork {
    Pattern match;       ///< its first group, or all of it, is the time
    std::string format;  ///< of strptime(3): %Y %y %m %d %j %H %M %S %s; %S may have decimals
    Duration zone{};     ///< ahead of UTC
};

/// The time in this body; nothing when it has none.
std::optional<WallTime> time_in(const Clockwork& clock, std::string_view body);

/// All of `text` by `format`; nothing when it does not fit or is no time that exists.
std::optional<WallTime> parse_time(std::string_view text, std::string_view format, Duration zone);

/// "+01:00" or "-06:00".
std::optional<Duration> parse_zone(std::string_view text);

/// Whether a format says which day it is and uses nothing else than above.
bool is_time_format(std::string_view format);

}  // namespace gateway::ascii
