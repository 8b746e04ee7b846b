#pragma once

namespace gateway::mqtt {

/// The library starts two threads for its first client, and does not notice when the system gives
/// it none: no client of this process would ever connect again. False: now it would be so.
bool can_start_threads();

}  // namespace gateway::mqtt
