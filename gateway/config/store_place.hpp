#pragma once

#include "gateway/config/mistakes.hpp"
#include "gateway/config/site.hpp"

namespace gateway {

/// Adds a mistake when the store's folder lies in memory (tmpfs), where a power cut takes all that
/// was durable, and the site file does not accept that.
void check_store_place(const Site& site, Mistakes& mistakes);

}  // namespace gateway
