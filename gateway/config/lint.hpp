#pragma once

#include "gateway/config/mistakes.hpp"
#include "gateway/config/profile.hpp"

namespace gateway {

/// What a profile that parses can still get wrong: rules that can never hold, reads longer than the
/// profile allows, and what a final profile must have.
void lint(const Profile& profile, Mistakes& mistakes);

}  // namespace gateway
