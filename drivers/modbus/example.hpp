#pragma once

#include "drivers/modbus/register_map.hpp"
#include "gateway/config/profile.hpp"

#include <string>
#include <vector>

namespace gateway::modbus {

/// Plays the registers of every `[[example]]` through plan, codec and decoder and compares what
/// people would see with `expect`; one text per difference.
std::vector<std::string> run_examples(const Profile& profile, const RegisterMap& map);

}  // namespace gateway::modbus
