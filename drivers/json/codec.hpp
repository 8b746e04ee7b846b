#pragma once

#include "drivers/json/pointer.hpp"
#include "gateway/core/reading.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace gateway::json_text {

/// `count`: how many elements an array, or members an object, has.
enum class Type : std::uint8_t { int64, uint64, float64, text, flag, count };

/// Where a point lies in what the device says, and how it is read.
struct Location {
    Path path;
    Type type = Type::float64;
    bool optional = false;  ///< the device may say nothing of it
    bool plain = false;     ///< the message is the text itself, not JSON
    /// What the device's words, numbers, true and false stand for; empty: no codes.
    std::map<std::string, std::int64_t, std::less<>> codes;
    /// Only the first group of the text counts. Shared by copies: compiled once.
    std::shared_ptr<const re2::RE2> match;
    std::uint16_t source = 0;  ///< which request or topic brings it
};

/// What a location gave.
struct Finding {
    Value value;
    Quality quality = Quality::good;
    Cause cause = Cause::none;
    bool absent = false;  ///< the document does not speak of it at all
};

/// Never throws, never guesses: a value of another type than the location's, a number that is not
/// exactly one of that type, a key that is there twice are bad (unexpected_reply); null is missing
/// (sentinel), as is what is not there (unexpected_reply, or no cause when it is optional).
Finding extract(const Document& document, const Location& location);

/// "-12", "0.5", "1e3", and with a plus before them: all of the text. Integers are exact;
/// a number that has no place in the type is nothing. A float64 that is a whole number beyond 2^53
/// stays an integer.
std::optional<Value> parse_number(std::string_view text, Type type);

}  // namespace gateway::json_text
