#pragma once

#include "drivers/registry.hpp"

namespace gateway {

// The rows of the drivers that read texts: lines on a wire, and files of the kernel.

std::unique_ptr<Driver> make_ascii(const DeviceConfig& device, const DriverContext& context,
                                   Mistakes& mistakes);
void check_ascii(const Profile& profile, Mistakes& mistakes);
std::vector<std::string> run_ascii_examples(const Profile& profile);
std::vector<PlannedRequest> describe_ascii(const Profile& profile);
ExchangeText explain_lines(const ExchangeLog::Exchange& exchange);

std::unique_ptr<Driver> make_sysfs(const DeviceConfig& device, const DriverContext& context,
                                   Mistakes& mistakes);
void check_sysfs(const Profile& profile, Mistakes& mistakes);
std::vector<std::string> run_sysfs_examples(const Profile& profile);
std::vector<PlannedRequest> describe_sysfs(const Profile& profile);

}  // namespace gateway
