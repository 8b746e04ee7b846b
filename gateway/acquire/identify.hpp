#pragma once

#include "gateway/acquire/driver.hpp"
#include "gateway/config/binding.hpp"

#include <string>
#include <string_view>

namespace gateway {

/// What a device's answers to the profile's `[[identify]]` mean. A required read, or one with a
/// pattern or a range, speaks for the model: a required one that fails is a mismatch, all of them
/// fulfilled is verified, anything between is claimed.
Identified identify(const Profile& profile, const Identity& answers);

/// Whether a firmware lies inside a constraint like `>=1.3`, `>=1.3, <2` or `*`. What stands before
/// the first digit ("V", "Ver. ") does not count; dotted numbers are compared number by number, 1.3
/// is 1.3.0, and what follows them ("-rc1") does not count. A device that gives bare digits (`1301`
/// for 1.3.01) is compared digit by digit from the left. A text without a number fits only `*`.
bool firmware_fits(std::string_view firmware, std::string_view constraint);

/// An identity value as text: numbers as decimals, texts without the padding of fixed fields.
std::string identity_text(const Value& value);

}  // namespace gateway
