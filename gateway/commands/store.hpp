#pragma once

#include "gateway/commands/commands.hpp"

#include <string>

namespace gateway {

/// The state directory that was meant: `path` or, when that is the root of a card, the one in it;
/// without `path` the box's own.
std::string state_directory(const CommandOptions& options, const std::string& path);

/// Says on standard error why a store cannot be looked at; the exit code.
int say_no_store(const std::string& directory, const std::string& why);

}  // namespace gateway
