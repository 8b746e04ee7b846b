#pragma once

#include "gateway/config/field.hpp"

namespace gateway {

extern const Format header_format;       ///< the name of an HTTP header
extern const Format fingerprint_format;  ///< SHA-256 of a certificate
extern const Format topic_format;        ///< an MQTT topic filter

/// What the keys of a JSON read cannot say alone.
void check_json_read(const SettingTable& read, const Field& field);

}  // namespace gateway
