#pragma once

#include "gateway/core/ids.hpp"
#include "gateway/core/value.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace gateway::modbus {

enum class Type : std::uint8_t {
    int16,
    uint16,
    int32,
    uint32,
    int64,
    uint64,
    float32,
    float64,
    bcd16,
    bcd32,
    bcd64,
    text,
};

/// How the bytes of a value lie in its registers. The letters are those that makers print for a
/// 32-bit value whose most significant byte is A.
enum class Order : std::uint8_t {
    big,             ///< ABCD
    little,          ///< DCBA
    big_swapped,     ///< BADC: high word first, the bytes of each word swapped
    little_swapped,  ///< CDAB: low word first
};

/// How to read one value out of its registers.
struct Encoding {
    Type type = Type::uint16;
    Order order = Order::big;
    std::uint16_t words = 1;     ///< registers the value takes; 1 for a coil
    std::uint8_t bit = 0;        ///< the lowest bit of a bit field
    std::uint8_t bit_count = 0;  ///< of a bit field; 0: the whole value
};

/// Registers that a type takes; 0 for text, which says it itself.
std::uint16_t words_of(Type type);

/// Brings registers into the order ABCD, or back: doing it twice changes nothing.
void arrange(std::span<std::uint8_t> registers, Order order);

/// The exact value in `2 * words` bytes as they came over the wire; nothing when they are none: a
/// BCD digit above 9, text with bytes outside printable ASCII.
std::optional<Value> decode(const Encoding& encoding, ByteView registers);

/// Text up to the first NUL without trailing spaces; nothing when a byte is not printable ASCII.
std::optional<std::string> printable(ByteView bytes);

}  // namespace gateway::modbus
