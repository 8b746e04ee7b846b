#pragma once

#include "gateway/acquire/driver.hpp"
#include "gateway/config/profile.hpp"

#include <string>
#include <vector>

namespace gateway {

/// Judges the samples that a driver made of an `[[example]]` and compares what people would see
/// with what it expects; one text per difference. A reading without a value is seen as its quality:
/// "missing"; one that is not good as "12.5 suspect". Parameters have their defaults.
std::vector<std::string> differences_from(const Example& example, const Profile& profile,
                                          Samples samples);

}  // namespace gateway
