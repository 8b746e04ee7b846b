#include "drivers/modbus/link.hpp"

#include "gateway/core/defect.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <utility>

namespace gateway::modbus {

namespace asio = boost::asio;

namespace {

constexpr unsigned most_foreign_frames = 32;

/// Everything that goes wrong in an exchange and leaves bytes behind ends the
/// connection.
class Conversation {
public:
    explicit Conversation(StreamBus& bus) : bus_(bus) {}
    Conversation(const Conversation&) = delete;
    Conversation& operator=(const Conversation&) = delete;
    ~Conversation()
    {
        if (!clean_) {
            bus_.close();
        }
    }
    void ended_clean() { clean_ = true; }

    std::size_t received = 0;  ///< bytes that no frame has accounted for

private:
    StreamBus& bus_;
    bool clean_ = false;
};

/// Frames of other transactions are late answers and are passed over.
/// `received` begins at 0 and counts the bytes that no frame has accounted for,
/// also when this is cancelled.
asio::awaitable<Result<Answer>> converse(ByteStream& stream, std::uint16_t transaction,
                                         Request request, std::span<std::uint8_t> buffer,
                                         std::size_t& received, Wire& wire)
{
    wire.sent = encode(transaction, request);
    if (const auto sent = co_await stream.write(wire.sent.view()); !sent) {
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
            wire.received = received;
            continue;
        }
        const auto answered = transaction_of(buffer);
        if (answered == transaction || planted(Defect::late_answer_taken)) {
            received -= *size;
            wire.received = *size;
            co_return decode(answered, request, buffer.first(*size));
        }
        std::copy(buffer.begin() + static_cast<std::ptrdiff_t>(*size),
                  buffer.begin() + static_cast<std::ptrdiff_t>(received), buffer.begin());
        received -= *size;
        ++frames;
    }
    co_return Fault::unexpected_reply;
}

class TcpLink final : public Link {
public:
    TcpLink(std::shared_ptr<StreamBus> bus, Duration timeout, Duration gap)
        : bus_(std::move(bus)), timeout_(timeout), gap_(gap)
    {
    }

    asio::awaitable<Result<Answer>> exchange(Request request, Buffer& buffer, Wire& wire) override
    {
        wire.framing = Framing::modbus_tcp;
        const auto turn = co_await bus_->take();
        const auto stream = co_await bus_->connection(gap_);
        if (!stream) {
            co_return stream.error();
        }
        Conversation conversation(*bus_);
        const auto frames = std::span(buffer).first(largest_frame);
        auto answer = co_await (*stream)->within(
            timeout_, converse(**stream, bus_->next_transaction(), request, frames,
                               conversation.received, wire));
        if (conversation.received > 0) {
            const bool cut_short =
                !answer && (answer.error() == Fault::timed_out || answer.error() == Fault::closed);
            co_return cut_short ? Result<Answer>(Fault::short_frame) : answer;
        }
        if (answer) {
            conversation.ended_clean();
            bus_->answered();
        } else if (answer.error() == Fault::timed_out) {
            conversation.ended_clean();
            bus_->unanswered();
        }
        co_return answer;
    }

private:
    std::shared_ptr<StreamBus> bus_;  // shared by the units on it
    Duration timeout_, gap_;
};

}  // namespace

std::unique_ptr<Link> make_tcp_link(std::shared_ptr<StreamBus> bus, Duration timeout, Duration gap)
{
    return std::make_unique<TcpLink>(std::move(bus), timeout, gap);
}

}  // namespace gateway::modbus
