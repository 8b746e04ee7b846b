#pragma once

#include "gateway/config/binding.hpp"
#include "gateway/core/quality.hpp"

#include <string>
#include <vector>

namespace gateway {

/// A cause for people at the cabinet.
struct PlainCause {
    std::string means;                  ///< one sentence
    std::vector<std::string> attempts;  ///< what to try, the likeliest first
};

PlainCause plain(Cause cause, const DeviceConfig& device);

}  // namespace gateway
