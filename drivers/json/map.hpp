#pragma once

#include "drivers/json/age.hpp"
#include "drivers/json/codec.hpp"
#include "gateway/config/profile.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace gateway::json_text {

/// A message counts only when it holds this.
struct Only {
    Pointer at;
    std::string equals;
};

/// A JSON device as its profile describes it: which documents it has, and what lies where in them.
struct DeviceMap {
    std::vector<std::string> sources;  ///< paths or topics
    std::vector<Location> points;      ///< by row
    std::vector<Location> identity;    ///< by `[[identify]]`
    std::optional<Age> age;
    std::string main;  ///< the source that has to say its time, when there is an age
    std::vector<Only> only;
    Limits limits;
};

/// Reads the profile with the site's name of the device put where it says {device}. `source` is
/// the key of a document's address, "path" or "topic"; `otherwise` is the address where a point
/// has none. Mistakes are named with their place.
DeviceMap read_map(const Profile& profile, std::string_view source, std::string_view otherwise,
                   std::string_view device, Mistakes& mistakes);

/// "{device}" replaced.
std::string with_device(std::string_view text, std::string_view device);
bool names_device(const Profile& profile);

}  // namespace gateway::json_text
