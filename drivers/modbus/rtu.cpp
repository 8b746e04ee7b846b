#include "drivers/modbus/rtu.hpp"

#include <algorithm>
#include <span>

namespace gateway::modbus {

namespace {

constexpr std::size_t largest_rtu_frame = 256;
constexpr std::size_t crc_size = 2;
constexpr std::size_t head_size = 3;  // unit, function, exception code or number of bytes
constexpr std::size_t exception_size = head_size + crc_size;

/// Of device identification: its objects say how long it is.
Result<std::size_t> identification_size(ByteView begun)
{
    constexpr std::size_t number_of_objects = 7;
    if (begun.size() <= number_of_objects) {
        return Fault::short_frame;
    }
    std::size_t size = number_of_objects + 1;
    for (unsigned i = 0; i < begun[number_of_objects]; ++i) {
        if (begun.size() < size + 2) {
            return Fault::short_frame;
        }
        size += 2U + begun[size + 1];
    }
    return size + crc_size;
}

/// How long the answer is that begins here; Fault::short_frame when more bytes
/// are needed to say so, unexpected_reply when no answer of this unit to this
/// function begins so.
Result<std::size_t> size_of(const Request& request, ByteView begun)
{
    const auto asked = static_cast<std::uint8_t>(request.function);
    if (begun[0] != request.unit) {
        return Fault::unexpected_reply;
    }
    if (begun.size() < 2) {
        return Fault::short_frame;
    }
    if (begun[1] == (asked | exception_bit)) {
        return exception_size;
    }
    if (begun[1] != asked) {
        return Fault::unexpected_reply;
    }
    if (begun.size() < head_size) {
        return Fault::short_frame;
    }
    const auto size = request.function == Function::device_identification
                          ? identification_size(begun)
                          : head_size + begun[2] + crc_size;
    return size && *size > largest_rtu_frame ? Fault::unexpected_reply : size;
}

bool crc_fits(ByteView frame)
{
    const auto crc = crc16(frame.first(frame.size() - crc_size));
    return frame[frame.size() - 2] == (crc & 0xFF) && frame.back() == crc >> 8;
}

/// Adapters that hear themselves give back what was sent. An answer cannot look
/// like its question: it would have to be as long, which only 17 to 24 coils
/// are, and hold the same bytes.
ByteView without_echo(const Request& request, ByteView heard)
{
    const auto question = encode_rtu(request);
    const auto echo = question.view();
    const bool echoed =
        heard.size() >= echo.size() && std::equal(echo.begin(), echo.end(), heard.begin());
    return echoed ? heard.subspan(echo.size()) : heard;
}

}  // namespace

std::uint16_t crc16(ByteView bytes)
{
    constexpr unsigned polynomial = 0xA001;
    unsigned crc = 0xFFFF;
    for (const auto byte : bytes) {
        crc ^= byte;
        for (unsigned bit = 0; bit < 8; ++bit) {
            crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0);
        }
    }
    return static_cast<std::uint16_t>(crc);
}

RequestFrame encode_rtu(const Request& request)
{
    auto frame = encode_pdu(request);
    const auto crc = crc16(frame.view());
    frame.bytes[frame.size++] = static_cast<std::uint8_t>(crc);
    frame.bytes[frame.size++] = static_cast<std::uint8_t>(crc >> 8);
    return frame;
}

std::size_t rtu_answer_size(const Request& request)
{
    return head_size + data_size(request) + crc_size;
}

Result<Answer> find_answer(const Request& request, ByteView heard, Line line)
{
    const auto bytes = without_echo(request, heard);
    Error fault = bytes.empty() ? Fault::timed_out : Fault::unexpected_reply;
    for (std::size_t at = 0; at < bytes.size();) {
        const auto begun = bytes.subspan(at);
        const auto size = size_of(request, begun);
        const bool has_begun = size ? begun.size() < *size : size.error() == Fault::short_frame;
        if (has_begun && line == Line::talking) {
            return Fault::short_frame;
        }
        if (has_begun && fault != Fault::bad_checksum) {
            fault = Fault::short_frame;
        }
        if (!size || has_begun) {
            ++at;
            continue;
        }
        const auto frame = begun.first(*size);
        if (!crc_fits(frame)) {
            fault = Fault::bad_checksum;
            ++at;
            continue;
        }
        const auto answer = decode_pdu(request, frame.subspan(1, frame.size() - 1 - crc_size));
        if (answer) {
            return answer;
        }
        at += frame.size();  // the answer to an earlier question
    }
    return fault;
}

Owed::Shape Owed::shape_of(const Request& request)
{
    return {request.function, data_size(request)};
}

bool Owed::may_be_mistaken_for(const Request& request) const
{
    // An identification names what it brings, whenever it comes.
    const auto owed = std::span(shapes_).first(count_);
    return request.function != Function::device_identification &&
           std::ranges::find(owed, shape_of(request)) != owed.end();
}

std::optional<Request> Owed::probe_for(const Request& request) const
{
    constexpr std::uint32_t end_of_table = 65'536;
    const std::uint16_t step = is_bit_table(request.function) ? 8 : 1;
    for (std::uint16_t i = 1; i <= most + 1; ++i) {
        auto probe = request;
        probe.count = static_cast<std::uint16_t>(i * step);
        const bool inside = std::uint32_t{probe.first} + probe.count <= end_of_table;
        if (inside && !may_be_mistaken_for(probe)) {
            return probe;
        }
    }
    return std::nullopt;
}

void Owed::unanswered(const Request& request)
{
    if (count_ == most) {
        std::shift_left(shapes_.begin(), shapes_.end(), 1);
        --count_;
    }
    shapes_[count_++] = shape_of(request);
}

void Owed::answered(const Request& request, bool refused)
{
    if (!refused) {
        count_ = 0;
    } else if (count_ > 0) {
        // Whichever question was refused, the oldest has had its answer.
        std::shift_left(shapes_.begin(), shapes_.end(), 1);
        --count_;
        unanswered(request);
    }
}

}  // namespace gateway::modbus
