#pragma once

#include "gateway/core/value.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace gateway {

/// How a device writes a value as text.
enum class TextType : std::uint8_t {
    int64,
    float64,
    text,
    hex,  ///< an unsigned whole number
};

/// "int64", "float64", "text" or "hex"; `otherwise` for anything else.
TextType text_type(std::string_view name, TextType otherwise);

/// Without blanks and control characters at both ends.
std::string_view trimmed(std::string_view text);

/// The value that all of `text` writes, blanks around it aside: "+012.5", "-7", "0x1F" or "1F".
/// `decimal` stands between whole and broken part. Nothing for what is no such value; a text that
/// is empty or longer than 160 characters is none.
std::optional<Value> value_of(std::string_view text, TextType type, char decimal = '.');

}  // namespace gateway
