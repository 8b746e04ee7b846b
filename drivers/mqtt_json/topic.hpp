#pragma once

#include <string_view>

namespace gateway::mqtt_json {

/// Whether a topic is one of those that a filter means (MQTT 3.1.1, section 4.7): + is any one
/// level, # is what follows, also nothing; neither stands for a first level that begins with $.
bool matches(std::string_view filter, std::string_view topic);

}  // namespace gateway::mqtt_json
