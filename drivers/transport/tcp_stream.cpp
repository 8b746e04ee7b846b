#include "drivers/transport/byte_stream.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <utility>

namespace gateway {

namespace asio = boost::asio;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

Error fault_of(const Error& error)
{
    return error == asio::error::eof ? make_error_code(Fault::closed) : error;
}

Status to_status(const Error& error)
{
    return error ? Status(fault_of(error)) : Status();
}

class TcpStream final : public ByteStream {
public:
    TcpStream(const asio::any_io_executor& executor, std::string address, std::uint16_t port)
        : socket_(executor), address_(std::move(address)), port_(port)
    {
    }

    asio::awaitable<Status> connect() override
    {
        Error error;
        const auto address = asio::ip::make_address(address_, error);
        if (error) {
            co_return error;
        }
        const asio::ip::tcp::endpoint endpoint(address, port_);
        auto [failed] = co_await socket_.async_connect(endpoint, as_result);
        if (failed) {
            co_return failed;
        }
        socket_.set_option(asio::ip::tcp::no_delay(true), error);
        socket_.non_blocking(true, error);  // for drain; what is awaited is not affected
        co_return to_status(error);
    }

    asio::awaitable<Status> write(ByteView data) override
    {
        auto [error, count] =
            co_await asio::async_write(socket_, asio::buffer(data.data(), data.size()), as_result);
        co_return to_status(error);
    }

    asio::awaitable<Result<std::size_t>> read_some(std::span<std::uint8_t> into) override
    {
        auto [error, count] =
            co_await socket_.async_read_some(asio::buffer(into.data(), into.size()), as_result);
        if (error) {
            co_return fault_of(error);
        }
        co_return count;
    }

    asio::awaitable<Status> read_exactly(std::span<std::uint8_t> into) override
    {
        auto [error, count] =
            co_await asio::async_read(socket_, asio::buffer(into.data(), into.size()), as_result);
        co_return to_status(error);
    }

    Result<std::size_t> drain() override
    {
        std::array<std::uint8_t, 512> unwanted{};
        std::size_t drained = 0;
        // A peer that floods us is left to the answer's own checks.
        while (drained < 16 * unwanted.size()) {
            Error error;
            const auto count = socket_.read_some(asio::buffer(unwanted), error);
            if (error == asio::error::would_block) {
                break;
            }
            if (error) {
                return fault_of(error);
            }
            drained += count;
            if (count < unwanted.size()) {
                break;
            }
        }
        return drained;
    }

private:
    asio::ip::tcp::socket socket_;
    std::string address_;
    std::uint16_t port_;
};

}  // namespace

std::unique_ptr<ByteStream> make_tcp_stream(asio::any_io_executor executor, std::string address,
                                            std::uint16_t port)
{
    return std::make_unique<TcpStream>(executor, std::move(address), port);
}

}  // namespace gateway
