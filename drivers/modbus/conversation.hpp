#pragma once

#include "drivers/modbus/codec.hpp"
#include "drivers/transport/byte_stream.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <span>

namespace gateway::modbus {

/// Sends the request and waits for the frame that answers it; frames of other transactions are late
/// answers and are passed over. `buffer` holds `largest_frame` bytes and outlives the answer;
/// `received` begins at 0 and counts the bytes that no frame has accounted for, also when this is
/// cancelled.
boost::asio::awaitable<Result<Answer>> converse(ByteStream& stream, std::uint16_t transaction,
                                                Request request, std::span<std::uint8_t> buffer,
                                                std::size_t& received);

}  // namespace gateway::modbus
