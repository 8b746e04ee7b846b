#include "gateway/tls/judged_time.hpp"

#include <algorithm>

namespace gateway::tls {

WallTime build_time()
{
    return WallTime(std::chrono::seconds(GATEWAY_BUILD_TIME));
}

WallTime judged_at(const ClockReading& clock, WallTime newest_signed)
{
    return clock.state == ClockState::synced ? clock.wall
                                             : std::max({clock.wall, newest_signed, build_time()});
}

}  // namespace gateway::tls
