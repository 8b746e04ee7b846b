#pragma once

#include "drivers/modbus/register_map.hpp"
#include "gateway/config/profile.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace gateway::modbus {

/// Registers and coils by table and PDU address.
using Image = std::map<std::pair<Function, std::uint32_t>, std::uint16_t>;

/// The registers that an `[[example]]` gives.
Image image_of(const Example& example);

/// The answer's data of a device that holds the image; what it does not hold is 0.
Bytes data_from(const Image& image, const Request& request);

/// Plays the registers of every `[[example]]` through plan, codec and decoder and compares what
/// people would see with `expect`; one text per difference.
std::vector<std::string> run_examples(const Profile& profile, const RegisterMap& map);

}  // namespace gateway::modbus
