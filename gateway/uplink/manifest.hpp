#pragma once

#include "gateway/store/outbox.hpp"

#include <string>
#include <vector>

namespace gateway {

/// The manifest of protocol.md, section 6: what every epoch should add up to.
std::string manifest_json(const std::string& box, const std::vector<EpochState>& epochs);

}  // namespace gateway
