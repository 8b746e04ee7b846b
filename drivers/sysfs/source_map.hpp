#pragma once

#include "drivers/sysfs/codec.hpp"
#include "gateway/config/profile.hpp"

#include <vector>

namespace gateway::sysfs {

struct Settings {
    Duration timeout = std::chrono::seconds(2);  ///< of one file and its neighbours
    unsigned retries = 0;                        ///< after a failed checksum or a failed read
};

/// What a profile says about a model: in which files its values lie.
struct SourceMap {
    std::vector<Source> points;    ///< by row
    std::vector<Source> identity;  ///< by `[[identify]]`
    Settings settings;
};

/// Converts what the closed schema has checked.
SourceMap read_map(const Profile& profile);

}  // namespace gateway::sysfs
