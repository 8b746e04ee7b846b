#pragma once

#include "drivers/registry.hpp"

namespace gateway {

// The rows of the drivers that read JSON.

std::unique_ptr<Driver> make_http_json(const DeviceConfig& device, const DriverContext& context,
                                       Mistakes& mistakes);
void check_http_json(const Profile& profile, Mistakes& mistakes);
std::vector<std::string> run_http_json_examples(const Profile& profile);
std::vector<PlannedRequest> describe_http_json(const Profile& profile);

std::unique_ptr<Driver> make_mqtt_json(const DeviceConfig& device, const DriverContext& context,
                                       Mistakes& mistakes);
void check_mqtt_json(const Profile& profile, Mistakes& mistakes);
std::vector<std::string> run_mqtt_json_examples(const Profile& profile);
std::vector<PlannedRequest> describe_mqtt_json(const Profile& profile);

}  // namespace gateway
