#pragma once

#include "gateway/runtime/clock.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace gateway {

/// "2026-08-01T10:00:00Z"; fractions of a second are cut.
std::string utc_text(WallTime time);
/// The same form, with or without a fraction; nothing for anything else.
std::optional<WallTime> utc_from(std::string_view text);

}  // namespace gateway
