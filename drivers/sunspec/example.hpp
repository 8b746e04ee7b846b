#pragma once

#include "drivers/sunspec/map.hpp"
#include "gateway/config/profile.hpp"

#include <string>
#include <vector>

namespace gateway::sunspec {

/// Walks the registers of every `[[example]]` as those of a device and compares what people would
/// see with `expect`; one text per difference.
std::vector<std::string> run_examples(const Profile& profile, const Map& map);

}  // namespace gateway::sunspec
