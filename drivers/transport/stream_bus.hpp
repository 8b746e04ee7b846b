#pragma once

#include "drivers/transport/byte_stream.hpp"
#include "gateway/acquire/bus.hpp"
#include "gateway/core/reading.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace gateway {

/// Makes an open stream, each time that one is needed.
using OpenStream = std::function<boost::asio::awaitable<Result<std::unique_ptr<ByteStream>>>()>;

/// A TCP connection or serial line that several units answer on. Whoever wants to talk takes a turn
/// and has the stream alone until the turn ends; turns come in the order they were asked for. Lives
/// longer than every turn on it. Runs on the loop.
class StreamBus {
public:
    StreamBus(boost::asio::any_io_executor executor, OpenStream open);

    boost::asio::awaitable<Bus::Turn> take() { return turns_.take(); }

    // What follows is for the holder of the turn.

    /// The open stream with nothing unread in it, once the line was silent for `gap`. Opens it when
    /// needed.
    boost::asio::awaitable<Result<ByteStream*>> connection(Duration gap);
    /// The open stream with everything unread still in it, for a device that talks by itself.
    boost::asio::awaitable<Result<ByteStream*>> listen();
    /// Whether `who` was the last to ask so, of the stream that is open: what is unread in it
    /// follows what `who` has read.
    bool resumes(const void* who)
    {
        return std::exchange(listener_, who) == who && stream_ != nullptr;
    }
    /// The next turn opens the stream again: for answers that cannot be told apart any more.
    void close() { stream_.reset(); }
    /// Numbers the requests of all units, so that no late answer is taken for another unit's.
    std::uint16_t next_transaction() { return ++transaction_; }
    void answered();
    /// A unit kept silent. A dead unit does not cost its neighbours their stream; but when nobody
    /// answers any more, the stream itself is taken to be dead and closed.
    void unanswered();

private:
    boost::asio::awaitable<void> silence(Duration gap);

    boost::asio::any_io_executor executor_;
    OpenStream open_;
    Bus turns_;
    std::unique_ptr<ByteStream> stream_;
    const void* listener_ = nullptr;  // never followed
    std::uint16_t transaction_ = 0;
    unsigned silent_in_a_row_ = 0;
    std::chrono::steady_clock::time_point last_used_;
};

}  // namespace gateway
