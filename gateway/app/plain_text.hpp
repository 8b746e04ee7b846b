#pragma once

#include "gateway/runtime/clock.hpp"

#include <cstdint>
#include <string>

namespace gateway {

/// "1.5 MiB"
std::string bytes_text(std::uint64_t bytes);
/// "90 s", "15 min", "3 h", "4 days"
std::string ago_text(Duration age);
/// Local, with its offset: "2026-08-01 12:00:00 +0200".
std::string local_text(WallTime time);

}  // namespace gateway
