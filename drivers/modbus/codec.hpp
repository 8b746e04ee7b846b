#pragma once

#include "gateway/core/ids.hpp"
#include "gateway/core/result.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// Modbus Application Protocol V1.1b3, and its frames over TCP (Messaging on
/// TCP/IP Implementation Guide V1.0b).
namespace gateway::modbus {

/// Every function this program can ask for. All of them only read.
enum class Function : std::uint8_t {
    coils = 1,
    discrete_inputs = 2,
    holding_registers = 3,
    input_registers = 4,
    device_identification = 43,
};

/// One question to one unit.
struct Request {
    std::uint8_t unit = 1;
    Function function = Function::holding_registers;
    std::uint16_t first = 0;  ///< PDU address, from 0; for identification the first object id
    std::uint16_t count = 1;  ///< registers or coils; for identification the read code, 1 to 3
};

constexpr std::size_t header_size = 7;
constexpr std::size_t largest_frame = 260;
constexpr std::uint16_t most_registers = 125;
constexpr std::uint16_t most_coils = 2000;
constexpr std::uint8_t exception_bit = 0x80;  ///< of the function, in an answer that refuses

constexpr bool is_bit_table(Function function)
{
    return function == Function::coils || function == Function::discrete_inputs;
}

/// A request as it goes over the wire.
struct RequestFrame {
    std::array<std::uint8_t, 12> bytes{};
    std::size_t size = 0;
    ByteView view() const { return ByteView(bytes).first(size); }
};

/// Unit and PDU, which every framing sends.
RequestFrame encode_pdu(const Request& request);

RequestFrame encode(std::uint16_t transaction, const Request& request);

/// How long the frame that begins with these bytes is; Fault::short_frame while
/// fewer than six are there, Fault::unexpected_reply when this is no Modbus
/// header.
Result<std::size_t> frame_size(ByteView begun);

/// The transaction a frame answers. At least two bytes.
std::uint16_t transaction_of(ByteView frame);

/// What a whole frame says in answer to a request. `data` looks into the frame.
struct Answer {
    std::uint8_t exception = 0;  ///< the code with which the device refused; 0 = it did not
    ByteView data;               ///< registers, high byte first; coils, lowest bit first;
                                 ///< identification: the PDU from the MEI type on
};

/// Checks a PDU, from the function on, against the request:
/// Fault::unexpected_reply. Not empty.
Result<Answer> decode_pdu(const Request& request, ByteView pdu);

/// Checks every field against the request: Fault::short_frame or
/// unexpected_reply.
Result<Answer> decode(std::uint16_t transaction, const Request& request, ByteView frame);

/// Bytes of data that answer a request for registers or coils.
std::size_t data_size(const Request& request);

struct IdentificationObject {
    std::uint8_t id = 0;
    Bytes value;
};

/// One part of a device's identification (V1.1b3, section 6.21).
struct Identification {
    std::vector<IdentificationObject> objects;
    bool more_follows = false;
    std::uint8_t next = 0;  ///< the object to ask for next
};

Result<Identification> decode_identification(const Request& request, ByteView data);

}  // namespace gateway::modbus
