#pragma once

#include "drivers/transport/byte_stream.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <utility>

namespace gateway {

/// What TCP connections and serial ports share: reading and writing an Asio stream.
template <typename Stream>
class AsioStream : public ByteStream {
public:
    explicit AsioStream(Stream stream) : stream_(std::move(stream)) {}

    boost::asio::awaitable<Status> write(ByteView data) override
    {
        if (is_late()) {
            co_return Fault::timed_out;
        }
        auto [error, count] = co_await boost::asio::async_write(
            stream_, boost::asio::buffer(data.data(), data.size()), as_result);
        co_return to_status(error);
    }

    boost::asio::awaitable<Result<std::size_t>> read_some(std::span<std::uint8_t> into) override
    {
        if (is_late()) {
            co_return Fault::timed_out;
        }
        auto [error, count] = co_await stream_.async_read_some(
            boost::asio::buffer(into.data(), into.size()), as_result);
        if (error) {
            co_return fault_of(error);
        }
        co_return count;
    }

    boost::asio::awaitable<Status> read_exactly(std::span<std::uint8_t> into) override
    {
        if (is_late()) {
            co_return Fault::timed_out;
        }
        auto [error, count] = co_await boost::asio::async_read(
            stream_, boost::asio::buffer(into.data(), into.size()), as_result);
        co_return to_status(error);
    }

protected:
    static constexpr auto as_result = boost::asio::as_tuple(boost::asio::use_awaitable);

    Error fault_of(const Error& error) const
    {
        if (is_late() && error == boost::asio::error::operation_aborted) {
            return make_error_code(Fault::timed_out);
        }
        return error == boost::asio::error::eof ? make_error_code(Fault::closed) : error;
    }
    Status to_status(const Error& error) const
    {
        return error ? Status(fault_of(error)) : Status();
    }

    Stream stream_;

private:
    void cancel() override
    {
        Error ignored;
        stream_.cancel(ignored);
    }
};

}  // namespace gateway
