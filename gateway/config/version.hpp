#pragma once

#include <compare>
#include <string_view>

namespace gateway {

/// Part by part: numbers as numbers, letters as letters; "1.10" is after "1.9", "1.0" after "1".
std::strong_ordering compare_versions(std::string_view left, std::string_view right);

}  // namespace gateway
