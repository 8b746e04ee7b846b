#pragma once

// The one home of Boost.JSON: its sources are compiled in json.cpp.
#include "gateway/core/result.hpp"

#include <boost/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gateway {

namespace json = boost::json;

/// Parses bytes from outside: at most `limit` bytes, 32 levels deep, one value; else
/// Fault::too_large or malformed.
Result<json::value> parse_json(std::string_view text, std::size_t limit = 262'144);

/// The member's text, or `otherwise` when it is absent or not a string. The view lives as long as
/// `object`.
std::string_view text_of(const json::object& object, std::string_view key,
                         std::string_view otherwise = {});

/// The member when it is a whole number of 64 bits, else `otherwise`.
std::int64_t integer_of(const json::object& object, std::string_view key,
                        std::int64_t otherwise = 0);

/// The member when it is an object, else null.
const json::object* object_of(const json::object& object, std::string_view key);

}  // namespace gateway
