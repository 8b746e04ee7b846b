#pragma once

#include "drivers/modbus/codec.hpp"

#include <cstddef>
#include <cstdint>

/// Modbus over serial line V1.02, section 2.5.1: RTU frames.
namespace gateway::modbus {

/// What may come in one exchange: our own echo, noise, and the largest answer
/// of 256 bytes.
constexpr std::size_t rtu_buffer_size = 512;

/// CRC-16 with the polynomial 0xA001; sent low byte first.
std::uint16_t crc16(ByteView bytes);

RequestFrame encode_rtu(const Request& request);

/// Bytes of the frame that answers a request for registers or coils.
std::size_t rtu_answer_size(const Request& request);

/// Whether more bytes may follow at once.
enum class Line : std::uint8_t { talking, silent };

/// Looks among all that was heard since the request was sent for the answer to
/// it; `data` looks into `heard`. Our own echo before it, noise and frames of
/// others are passed over; while the line talks, what may be the begin of an
/// answer is waited for. Otherwise: Fault::timed_out when nothing was heard,
/// short_frame when an answer has only begun, bad_checksum when there is a
/// whole one with a wrong CRC, unexpected_reply when there is none.
Result<Answer> find_answer(const Request& request, ByteView heard, Line line);

}  // namespace gateway::modbus
