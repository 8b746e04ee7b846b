#include "tests/simulator/framing.hpp"

#include "drivers/modbus/codec.hpp"
#include "drivers/modbus/rtu.hpp"

#include <algorithm>

namespace simulator {

using gateway::Bytes;
using gateway::ByteView;

namespace {

constexpr std::size_t prefix = 6;  // transaction, protocol, length
constexpr std::uint8_t identification = 43;
const Bytes noise{0x00, 0xFF, 0x55};

unsigned word(ByteView bytes, std::size_t at)
{
    return (static_cast<unsigned>(bytes[at]) << 8) | bytes[at + 1];
}

std::optional<Asked> next_tcp(ByteView held)
{
    if (held.size() < prefix) {
        return std::nullopt;
    }
    const std::size_t size = prefix + word(held, 4);
    if (size < prefix + 2 || size > gateway::modbus::largest_frame) {
        return Asked{.size = held.size()};
    }
    if (held.size() < size) {
        return std::nullopt;
    }
    return Asked{.transaction = static_cast<std::uint16_t>(word(held, 0)),
                 .unit = held[prefix],
                 .pdu = held.subspan(prefix + 1, size - prefix - 1),
                 .size = size};
}

std::optional<Asked> next_rtu(ByteView held)
{
    if (held.size() < 2) {
        return std::nullopt;
    }
    const std::size_t size = held[1] == identification ? 7 : 8;
    if (held.size() < size) {
        return std::nullopt;
    }
    const auto crc = gateway::modbus::crc16(held.first(size - 2));
    if (held[size - 2] != (crc & 0xFF) || held[size - 1] != crc >> 8) {
        return Asked{.size = held.size()};
    }
    return Asked{.unit = held[0], .pdu = held.subspan(1, size - 3), .size = size};
}

}  // namespace

std::optional<Asked> next_request(Framing framing, ByteView held)
{
    return framing == Framing::tcp ? next_tcp(held) : next_rtu(held);
}

Bytes frame_of(Framing framing, const Asked& asked, ByteView pdu, const Damage& damage)
{
    const auto transaction = asked.transaction + (damage.wrong_transaction ? 1U : 0U);
    const auto unit = static_cast<std::uint8_t>(asked.unit + (damage.wrong_unit ? 1U : 0U));
    Bytes frame;
    if (framing == Framing::tcp) {
        const auto length = pdu.size() + 1;
        frame = {static_cast<std::uint8_t>(transaction >> 8),
                 static_cast<std::uint8_t>(transaction),
                 0,
                 0,
                 static_cast<std::uint8_t>(length >> 8),
                 static_cast<std::uint8_t>(length)};
    }
    frame.push_back(unit);
    frame.insert(frame.end(), pdu.begin(), pdu.end());
    if (framing == Framing::rtu) {
        const auto crc = gateway::modbus::crc16(frame) ^ (damage.bad_crc ? 0x0100U : 0U);
        frame.push_back(static_cast<std::uint8_t>(crc));
        frame.push_back(static_cast<std::uint8_t>(crc >> 8));
    }
    if (damage.short_frame) {
        frame.resize(frame.size() / 2);
    }
    if (damage.noise_before) {
        frame.insert(frame.begin(), noise.begin(), noise.end());
    }
    if (damage.noise_after) {
        frame.insert(frame.end(), noise.begin(), noise.end());
    }
    return frame;
}

}  // namespace simulator
