#pragma once

#include "gateway/runtime/clock.hpp"

namespace gateway::tls {

/// When this program was built: no clock that is right says less.
WallTime build_time();

/// The time that certificates are judged at: the clock's when it is synchronised, else the latest
/// of what it says, the newest time that came in signed, and the build time. A box without a clock
/// of its own connects; what has expired by any of them stays refused.
WallTime judged_at(const ClockReading& clock, WallTime newest_signed);

}  // namespace gateway::tls
