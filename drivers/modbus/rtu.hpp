#pragma once

#include "drivers/modbus/codec.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

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

/// The questions to one unit whose answers may still come. An answer says what it answers only by
/// its function and its length, but a unit answers in the order of the questions: what answers a
/// question of another length than those owed says that none of them will be answered any more.
class Owed {
public:
    /// Whether a late answer may be taken for the one to this question.
    bool may_be_mistaken_for(const Request& request) const;
    /// A question near this one that nothing owed can be taken for. Nothing: there is none.
    std::optional<Request> probe_for(const Request& request) const;

    void unanswered(const Request& request);
    /// `refused`: by an exception, which has one length for every question.
    void answered(const Request& request, bool refused);

private:
    static constexpr std::size_t most = 4;  ///< later than that many questions no answer comes
    struct Shape {
        Function function;
        std::size_t size;
        friend bool operator==(const Shape&, const Shape&) = default;
    };
    static Shape shape_of(const Request& request);

    std::array<Shape, most> shapes_{};  // the oldest first
    std::size_t count_ = 0;
};

}  // namespace gateway::modbus
