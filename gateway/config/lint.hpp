#pragma once

#include "gateway/config/mistakes.hpp"
#include "gateway/config/profile.hpp"

#include <string_view>

namespace gateway {

/// What a profile that parses can still get wrong: rules that can never hold, reads longer than the
/// profile allows, and what a final profile must have. `text` is what it was parsed from.
void lint(const Profile& profile, std::string_view text, Mistakes& mistakes);

}  // namespace gateway
