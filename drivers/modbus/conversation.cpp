#include "drivers/modbus/conversation.hpp"

#include <algorithm>

namespace gateway::modbus {

namespace {

constexpr unsigned most_foreign_frames = 32;

}  // namespace

boost::asio::awaitable<Result<Answer>> converse(ByteStream& stream, std::uint16_t transaction,
                                                Request request, std::span<std::uint8_t> buffer,
                                                std::size_t& received)
{
    const auto question = encode(transaction, request);
    if (const auto sent = co_await stream.write(question.view()); !sent) {
        co_return sent.error();
    }
    for (unsigned frames = 0; frames < most_foreign_frames;) {
        const auto size = frame_size(buffer.first(received));
        if (!size && size.error() != Fault::short_frame) {
            co_return size.error();
        }
        if (!size || received < *size) {
            const auto got = co_await stream.read_some(buffer.subspan(received));
            if (!got) {
                co_return got.error();
            }
            received += *got;
            continue;
        }
        if (transaction_of(buffer) == transaction) {
            received -= *size;
            co_return decode(transaction, request, buffer.first(*size));
        }
        std::copy(buffer.begin() + static_cast<std::ptrdiff_t>(*size),
                  buffer.begin() + static_cast<std::ptrdiff_t>(received), buffer.begin());
        received -= *size;
        ++frames;
    }
    co_return Fault::unexpected_reply;
}

}  // namespace gateway::modbus
