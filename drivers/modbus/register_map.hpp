#pragma once

#include "drivers/modbus/client.hpp"
#include "drivers/modbus/plan.hpp"
#include "gateway/config/profile.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace gateway::modbus {

/// What a profile says about a model: where its values lie and how it wants to
/// be asked.
struct RegisterMap {
    std::vector<Location> points;    ///< by row
    std::vector<Location> identity;  ///< by `[[identify]]`
    Limits limits;
    Settings settings;
};

/// How the maker wants the unit to be asked.
Settings read_settings(const SettingTable& transport);

/// Converts what the closed schema has checked, and checks what a single key
/// cannot say. On any mistake the map is not to be used.
RegisterMap read_map(const Profile& profile, Mistakes& mistakes);

/// "holding 3027 to 3028"
std::string describe(const Block& block);

struct Cost {
    std::size_t bytes = 0;      ///< over TCP, there and back
    Duration on_serial_line{};  ///< as RTU at the rate the maker names first; zero
                                ///< without one
};

Cost cost_of(const Block& block, const RegisterMap& map);

}  // namespace gateway::modbus
