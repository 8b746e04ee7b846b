#include "drivers/transport/asio_stream.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <array>
#include <utility>

namespace gateway {

namespace asio = boost::asio;

namespace {

class TcpStream final : public AsioStream<asio::ip::tcp::socket> {
public:
    TcpStream(const asio::any_io_executor& executor, std::string address, std::uint16_t port)
        : AsioStream(asio::ip::tcp::socket(executor)), address_(std::move(address)), port_(port)
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
        auto [failed] = co_await stream_.async_connect(endpoint, as_result);
        if (failed) {
            co_return fault_of(failed);
        }
        stream_.set_option(asio::ip::tcp::no_delay(true), error);
        stream_.non_blocking(true, error);  // for drain; what is awaited is not affected
        co_return to_status(error);
    }

    Result<std::size_t> drain() override
    {
        std::array<std::uint8_t, 512> unwanted{};
        std::size_t drained = 0;
        // A peer that floods us is left to the answer's own checks.
        while (drained < 16 * unwanted.size()) {
            Error error;
            const auto count = stream_.read_some(asio::buffer(unwanted), error);
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
