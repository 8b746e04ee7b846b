#pragma once

#include "gateway/config/mistakes.hpp"
#include "gateway/config/site.hpp"

#include <string>

namespace gateway {

/// Where a box keeps what outlives a restart (readings, key and certificates, the last good site
/// file): the folder that systemd gives, else the store's of the site file as far as that can be
/// read.
std::string state_folder(const std::string& site_file);

/// Adds a mistake when the store's folder lies in memory (tmpfs), where a power cut takes all that
/// was durable, and the site file does not accept that.
void check_store_place(const Site& site, Mistakes& mistakes);

}  // namespace gateway
