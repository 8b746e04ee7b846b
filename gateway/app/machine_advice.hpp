#pragma once

#include "gateway/config/site.hpp"
#include "gateway/runtime/clock.hpp"

#include <string>
#include <vector>

namespace gateway {

/// What should be better on this machine although it works: who may read its secrets and change its
/// site file, its clock, its system, and exceptions whose time is over.
std::vector<std::string> machine_advice(const Site& site, const ClockReading& clock);

/// The machine's system in words: PRETTY_NAME of os-release(5).
std::string os_name();

}  // namespace gateway
