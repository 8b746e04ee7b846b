#include "drivers/modbus/codec.hpp"

#include <algorithm>

namespace gateway::modbus {

namespace {

constexpr std::uint8_t identification_type = 0x0E;
constexpr std::size_t length_end = 6;  // transaction, protocol, length

std::uint16_t word(ByteView bytes, std::size_t at)
{
    return static_cast<std::uint16_t>((bytes[at] << 8) | bytes[at + 1]);
}

}  // namespace

RequestFrame encode_pdu(const Request& request)
{
    RequestFrame frame;
    const auto put = [&frame](unsigned byte) {
        frame.bytes[frame.size++] = static_cast<std::uint8_t>(byte);
    };
    const auto put_word = [&put](unsigned value) {
        put(value >> 8);
        put(value);
    };
    put(request.unit);
    put(static_cast<unsigned>(request.function));
    if (request.function == Function::device_identification) {
        put(identification_type);
        put(request.count);
        put(request.first);
    } else {
        put_word(request.first);
        put_word(request.count);
    }
    return frame;
}

RequestFrame encode(std::uint16_t transaction, const Request& request)
{
    const auto body = encode_pdu(request);
    RequestFrame frame;
    frame.bytes = {static_cast<std::uint8_t>(transaction >> 8),
                   static_cast<std::uint8_t>(transaction),
                   0,  // protocol: always zero
                   0,
                   0,
                   static_cast<std::uint8_t>(body.size)};
    std::copy_n(body.bytes.begin(), body.size, frame.bytes.begin() + length_end);
    frame.size = length_end + body.size;
    return frame;
}

Result<std::size_t> frame_size(ByteView begun)
{
    if (begun.size() < length_end) {
        return Fault::short_frame;
    }
    const std::size_t size = length_end + word(begun, 4);
    // A unit, a function and at least one byte of either data or exception code.
    if (word(begun, 2) != 0 || size < header_size + 2 || size > largest_frame) {
        return Fault::unexpected_reply;
    }
    return size;
}

std::uint16_t transaction_of(ByteView frame)
{
    return word(frame, 0);
}

std::size_t data_size(const Request& request)
{
    const std::size_t count = request.count;
    return is_bit_table(request.function) ? (count + 7) / 8 : 2 * count;
}

Result<Answer> decode(std::uint16_t transaction, const Request& request, ByteView frame)
{
    const auto size = frame_size(frame);
    if (!size) {
        return size.error();
    }
    if (frame.size() < *size) {
        return Fault::short_frame;
    }
    if (frame.size() > *size || transaction_of(frame) != transaction || frame[6] != request.unit) {
        return Fault::unexpected_reply;
    }
    return decode_pdu(request, frame.subspan(header_size));
}

Result<Answer> decode_pdu(const Request& request, ByteView pdu)
{
    const auto asked = static_cast<std::uint8_t>(request.function);
    const auto function = pdu[0];
    const auto body = pdu.subspan(1);
    if (function == (asked | exception_bit)) {
        if (body.size() != 1 || body[0] == 0) {
            return Fault::unexpected_reply;
        }
        return Answer{.exception = body[0], .data = {}};
    }
    if (function != asked || body.empty()) {
        return Fault::unexpected_reply;
    }
    if (request.function == Function::device_identification) {
        return Answer{.exception = 0, .data = body};
    }
    if (body[0] != data_size(request) || body.size() != 1U + body[0]) {
        return Fault::unexpected_reply;
    }
    return Answer{.exception = 0, .data = body.subspan(1)};
}

Result<Identification> decode_identification(const Request& request, ByteView data)
{
    constexpr std::size_t fixed = 6;  // type, read code, conformity, more, next, number of objects
    if (data.size() < fixed) {
        return Fault::short_frame;
    }
    const bool more = data[3] == 0xFF;
    if (data[0] != identification_type || data[1] != request.count || (!more && data[3] != 0)) {
        return Fault::unexpected_reply;
    }
    Identification result{.objects = {}, .more_follows = more, .next = data[4]};
    auto rest = data.subspan(fixed);
    for (unsigned i = 0; i < data[5]; ++i) {
        if (rest.size() < 2 || rest.size() - 2 < rest[1]) {
            return Fault::short_frame;
        }
        const auto value = rest.subspan(2, rest[1]);
        result.objects.push_back({.id = rest[0], .value = Bytes(value.begin(), value.end())});
        rest = rest.subspan(2 + value.size());
    }
    if (!rest.empty()) {
        return Fault::unexpected_reply;
    }
    return result;
}

}  // namespace gateway::modbus
