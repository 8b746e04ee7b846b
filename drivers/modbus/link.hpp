#pragma once

#include "drivers/modbus/codec.hpp"
#include "drivers/modbus/rtu.hpp"
#include "drivers/transport/stream_bus.hpp"
#include "gateway/acquire/exchange_log.hpp"
#include "gateway/core/reading.hpp"

#include <boost/asio/awaitable.hpp>

#include <array>
#include <memory>
#include <span>

namespace gateway::modbus {

/// Holds what comes in one exchange over any link; an answer's data lies in it.
using Buffer = std::array<std::uint8_t, rtu_buffer_size>;

/// What went over the wire in one exchange, for people who look at it.
struct Wire {
    Framing framing = Framing::modbus_tcp;
    RequestFrame sent;         ///< empty: there was no connection
    std::size_t received = 0;  ///< bytes at the begin of the buffer
};

/// The way to one unit. Each exchange takes its own turn on the bus, so that
/// units interleave.
class Link {
public:
    Link() = default;
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;
    virtual ~Link() = default;

    /// Sends the request and waits for the answer to it and no other. `buffer`
    /// outlives the answer; `wire` is filled in as far as it comes.
    virtual boost::asio::awaitable<Result<Answer>> exchange(Request request, Buffer& buffer,
                                                            Wire& wire) = 0;
};

/// `timeout` is of one exchange, once connected; `gap` the silence before it.
std::unique_ptr<Link> make_tcp_link(std::shared_ptr<StreamBus> bus, Duration timeout, Duration gap);

/// How RTU is spoken on a line.
struct RtuLine {
    std::shared_ptr<StreamBus> bus;
    Duration timeout{};    ///< from the last byte of the request to the first of the
                           ///< answer
    Duration gap{};        ///< silence before a request
    Duration character{};  ///< one byte on the wire
    Duration pause{};      ///< after so long without a byte an answer is over
    /// Serial bytes in a TCP connection: what is late may also be under way in
    /// the network.
    bool reopen_when_late = false;
};

/// RTU answers carry no number: an unanswered unit is not asked again until
/// `timeout` after, and what comes meanwhile is thrown away.
std::unique_ptr<Link> make_rtu_link(RtuLine line);

}  // namespace gateway::modbus
