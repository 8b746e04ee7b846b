#pragma once

#include "drivers/sysfs/source_map.hpp"
#include "gateway/config/profile.hpp"

#include <string>
#include <vector>

namespace gateway::sysfs {

/// Reads the files of every `[[example]]` as a driver would and compares what people would see with
/// `expect`; one text per difference.
std::vector<std::string> run_examples(const Profile& profile, const SourceMap& map);

}  // namespace gateway::sysfs
