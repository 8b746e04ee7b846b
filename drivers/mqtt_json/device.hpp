#pragma once

#include "drivers/mqtt_json/broker.hpp"
#include "drivers/mqtt_json/driver.hpp"
#include "gateway/config/binding.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gateway::mqtt_json {

using ReadSecret = std::function<Result<std::string>(std::string_view name)>;

/// The profile's topics and what lies where in their messages, for a device of this name; mistakes
/// are named with their place.
json_text::DeviceMap read_messages(const Profile& profile, std::string_view device,
                                   Mistakes& mistakes);

/// The site's broker, with its secret; mistakes name the keys of the site file.
std::optional<Address> read_address(const DeviceConfig& device, const ReadSecret& read_secret,
                                    Mistakes& mistakes);

std::vector<bool> required_identity(const Profile& profile);
/// How long this model may be silent.
Duration longest_silence_of(const Profile& profile);

/// Plays every `[[example]]`; one text per difference.
std::vector<std::string> run_examples(const Profile& profile);

}  // namespace gateway::mqtt_json
