#pragma once

#include "drivers/transport/byte_stream.hpp"
#include "gateway/acquire/bus.hpp"
#include "gateway/core/reading.hpp"
#include "gateway/runtime/resolver.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace gateway {

/// A TCP connection that several units answer on. Whoever wants to talk takes a turn and has the
/// connection alone until the turn ends; turns come in the order they were asked for. Lives longer
/// than every turn on it. Runs on the loop.
class StreamBus {
public:
    StreamBus(boost::asio::any_io_executor executor, Resolver& resolver, std::string host,
              std::uint16_t port);

    boost::asio::awaitable<Bus::Turn> take() { return turns_.take(); }

    // What follows is for the holder of the turn.

    /// The open connection with nothing unread in it, once the line was silent for `gap`. Connects
    /// when needed; a name is looked up each time, so a device may move.
    boost::asio::awaitable<Result<ByteStream*>> connection(Duration gap);
    /// The next turn opens a new connection: for answers that cannot be told apart any more.
    void close() { stream_.reset(); }
    /// Numbers the requests of all units, so that no late answer is taken for another unit's.
    std::uint16_t next_transaction() { return ++transaction_; }
    void answered();
    /// A unit kept silent. A dead unit does not cost its neighbours their connection; but when
    /// nobody answers any more, the connection itself is taken to be dead and closed.
    void unanswered();

private:
    boost::asio::awaitable<Status> open();

    boost::asio::any_io_executor executor_;
    Resolver& resolver_;
    Bus turns_;
    std::string host_;
    std::uint16_t port_;
    std::unique_ptr<ByteStream> stream_;
    std::uint16_t transaction_ = 0;
    unsigned silent_in_a_row_ = 0;
    std::chrono::steady_clock::time_point last_used_;
};

}  // namespace gateway
