#pragma once

#include "gateway/core/ids.hpp"
#include "gateway/core/result.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace gateway {

/// An ordered stream of bytes: TCP, serial line or Unix socket. Destroying it closes it, and may be
/// done whenever no operation is under way; cancelling an operation leaves the stream open. Buffers
/// outlive the operation. Runs on the loop.
class ByteStream {
public:
    ByteStream() = default;
    ByteStream(const ByteStream&) = delete;
    ByteStream& operator=(const ByteStream&) = delete;
    virtual ~ByteStream() = default;

    virtual boost::asio::awaitable<Status> connect() = 0;
    virtual boost::asio::awaitable<Status> write(ByteView data) = 0;
    /// At least one byte; Fault::closed at the end of the stream.
    virtual boost::asio::awaitable<Result<std::size_t>> read_some(std::span<std::uint8_t> into) = 0;
    /// Fills `into` completely or fails.
    virtual boost::asio::awaitable<Status> read_exactly(std::span<std::uint8_t> into) = 0;
    /// Throws away what has arrived and nobody asked for, and says how many bytes that was; fails
    /// when the stream has ended.
    virtual Result<std::size_t> drain() = 0;
};

/// `address` is numeric: names are looked up by the Resolver, never here.
std::unique_ptr<ByteStream> make_tcp_stream(boost::asio::any_io_executor executor,
                                            std::string address, std::uint16_t port);

}  // namespace gateway
