#pragma once

#include "drivers/json/document.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace gateway::json_text {

/// A JSON pointer (RFC 6901), taken apart: the keys and indices that lead to a value.
using Pointer = std::vector<std::string>;

/// The text was checked when the profile was read.
Pointer parse_pointer(std::string_view text);
/// A text as one step of a pointer: "a/b" is "a~1b".
std::string escape_step(std::string_view text);

/// From `node` along the pointer.
Member find(const Document& document, const Node& node, const Pointer& pointer);

/// A scalar as a profile writes it: 21.50 is "21.5". Empty for null, arrays and objects.
std::string scalar_text(const Document& document, const Node& node);

/// One element of an array, or one member of an object, chosen by what it holds.
struct Select {
    Pointer list, key;
    std::string equals;  ///< as scalar_text gives it
};

/// Where a value lies: each selection in what the one before chose, then `at`. While nothing, or
/// only null, is there, the fallbacks count in their order; they start from the whole document.
struct Path {
    std::vector<Select> selects;
    Pointer at;
    std::vector<Pointer> fallback;
};

/// No node when nothing is there, a null node when only null is.
Member find(const Document& document, const Path& path);

}  // namespace gateway::json_text
