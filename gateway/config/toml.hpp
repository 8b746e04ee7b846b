#pragma once

#include "gateway/config/setting.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace gateway {

constexpr std::size_t longest_document = 256UL * 1024;

/// A TOML document as settings with their places; a date comes as its text. Nothing when it is not
/// TOML or too long: the mistake says where.
std::optional<SettingTable> parse_toml(std::string_view text, const std::string& file,
                                       Mistakes& mistakes);

}  // namespace gateway
