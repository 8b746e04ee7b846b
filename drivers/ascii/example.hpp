#pragma once

#include "drivers/ascii/line_map.hpp"
#include "gateway/config/profile.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace gateway::ascii {

/// The lines of every `[[example]]` go through framing, checksum and decoder as if they had come
/// over the wire; one text per reading that came out other than expected.
std::vector<std::string> run_examples(const Profile& profile);

/// The address of the unit that an example shows, where it does not say another.
constexpr std::string_view usual_address = "0";

}  // namespace gateway::ascii
