#include "drivers/modbus/registers.hpp"

#include "drivers/modbus/codec.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace gateway::modbus {

namespace {

std::optional<Value> decode_bcd(std::uint64_t bits, unsigned digits)
{
    std::int64_t number = 0;
    for (unsigned i = digits; i-- > 0;) {
        const auto digit = (bits >> (4 * i)) & 0xF;
        if (digit > 9) {
            return std::nullopt;
        }
        number = number * 10 + static_cast<std::int64_t>(digit);
    }
    return Value::integer(number);
}

std::optional<Value> decode_text(const Encoding& encoding, ByteView registers)
{
    std::array<std::uint8_t, 2U * most_registers> buffer{};
    if (registers.size() > buffer.size()) {
        return std::nullopt;
    }
    const auto arranged = std::span(buffer).first(registers.size());
    std::ranges::copy(registers, arranged.begin());
    arrange(arranged, encoding.order);
    auto text = printable(arranged);
    if (!text) {
        return std::nullopt;
    }
    return Value::of_text(std::move(*text));
}

}  // namespace

std::uint16_t words_of(Type type)
{
    switch (type) {
        case Type::int16:
        case Type::uint16:
        case Type::bcd16:
            return 1;
        case Type::int32:
        case Type::uint32:
        case Type::float32:
        case Type::bcd32:
            return 2;
        case Type::int64:
        case Type::uint64:
        case Type::float64:
        case Type::bcd64:
            return 4;
        case Type::text:
            return 0;
    }
    return 0;
}

void arrange(std::span<std::uint8_t> registers, Order order)
{
    if (order == Order::little || order == Order::little_swapped) {
        std::reverse(registers.begin(), registers.end());
    }
    if (order == Order::big_swapped || order == Order::little_swapped) {
        for (std::size_t i = 0; i + 1 < registers.size(); i += 2) {
            std::swap(registers[i], registers[i + 1]);
        }
    }
}

std::optional<std::string> printable(ByteView bytes)
{
    std::string text(bytes.begin(), std::find(bytes.begin(), bytes.end(), 0));
    text.erase(text.find_last_not_of(' ') + 1);
    const bool plain =
        std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
    return plain ? std::optional(std::move(text)) : std::nullopt;
}

std::optional<Value> decode(const Encoding& encoding, ByteView registers)
{
    if (registers.size() != 2U * encoding.words) {
        return std::nullopt;
    }
    if (encoding.type == Type::text) {
        return decode_text(encoding, registers);
    }
    std::array<std::uint8_t, 8> arranged{};
    if (registers.size() > arranged.size()) {
        return std::nullopt;
    }
    const auto used = std::span(arranged).first(registers.size());
    std::copy(registers.begin(), registers.end(), used.begin());
    arrange(used, encoding.order);
    std::uint64_t bits = 0;
    for (const auto byte : used) {
        bits = (bits << 8) | byte;
    }
    if (encoding.bit_count > 0) {
        const auto mask = (std::uint64_t{1} << encoding.bit_count) - 1;
        return Value::unsigned_integer((bits >> encoding.bit) & mask);
    }
    switch (encoding.type) {
        case Type::int16:
            return Value::integer(static_cast<std::int16_t>(bits));
        case Type::int32:
            return Value::integer(static_cast<std::int32_t>(bits));
        case Type::int64:
            return Value::integer(static_cast<std::int64_t>(bits));
        case Type::uint16:
        case Type::uint32:
        case Type::uint64:
            return Value::unsigned_integer(bits);
        case Type::float32:
            return Value::from_bits(Kind::float32, bits);
        case Type::float64:
            return Value::from_bits(Kind::float64, bits);
        case Type::bcd16:
            return decode_bcd(bits, 4);
        case Type::bcd32:
            return decode_bcd(bits, 8);
        case Type::bcd64:
            return decode_bcd(bits, 16);
        case Type::text:
            break;
    }
    return std::nullopt;
}

}  // namespace gateway::modbus
