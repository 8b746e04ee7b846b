#pragma once

#include "gateway/core/ids.hpp"
#include "gateway/core/result.hpp"
#include "gateway/runtime/deadline.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

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

    /// Runs `operation`, which awaits nothing but this stream. When `limit` passes, what is under
    /// way ends with Fault::timed_out, and what follows until the end of `operation`.
    template <typename T>
    boost::asio::awaitable<Result<T>> within(TimeLimit::Clock::duration limit,
                                             boost::asio::awaitable<Result<T>> operation)
    {
        const auto executor = co_await boost::asio::this_coro::executor;
        const Limited limited(*this, executor, limit);
        co_return co_await std::move(operation);
    }

protected:
    bool is_late() const { return passed_ > 0; }

private:
    /// Ends what is under way, which fails.
    virtual void cancel() = 0;

    struct Limited {
        Limited(ByteStream& of, const boost::asio::any_io_executor& executor,
                TimeLimit::Clock::duration length)
            : stream(of), limit(executor, length, [&of] {
                  ++of.passed_;
                  of.cancel();
              })
        {
        }
        Limited(const Limited&) = delete;
        Limited& operator=(const Limited&) = delete;
        ~Limited() { stream.passed_ -= limit.has_passed() ? 1U : 0U; }

        ByteStream& stream;
        const TimeLimit limit;
    };

    unsigned passed_ = 0;  // limits of operations that have not ended yet
};

/// `address` is numeric: names are looked up by the Resolver, never here.
std::unique_ptr<ByteStream> make_tcp_stream(boost::asio::any_io_executor executor,
                                            std::string address, std::uint16_t port);

}  // namespace gateway
