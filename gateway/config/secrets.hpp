#pragma once

#include "gateway/core/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace gateway {

constexpr std::size_t longest_secret = 4'096;

/// The secret of this name: `$CREDENTIALS_DIRECTORY/NAME` (systemd guards it), else
/// `<config_folder>/secrets/NAME`, which only its owner may read (Fault::refused otherwise). One
/// newline at the end is not part of it. Never log what this returns.
Result<std::string> read_secret(std::string_view name, const std::string& config_folder);

}  // namespace gateway
