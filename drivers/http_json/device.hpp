#pragma once

#include "drivers/http_json/driver.hpp"
#include "gateway/config/binding.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace gateway::http_json {

using ReadSecret = std::function<Result<std::string>(std::string_view name)>;

/// The profile's documents; mistakes in them are named with their place.
json_text::DeviceMap read_documents(const Profile& profile, std::string_view device,
                                    Mistakes& mistakes);

/// What the site says of the device, with its secret; mistakes name the keys of the site file.
std::optional<Settings> read_settings(const DeviceConfig& device, const ReadSecret& read_secret,
                                      Mistakes& mistakes);

/// Plays every `[[example]]`; one text per difference.
std::vector<std::string> run_examples(const Profile& profile);

}  // namespace gateway::http_json
