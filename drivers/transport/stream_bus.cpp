#include "drivers/transport/stream_bus.hpp"

#include "gateway/runtime/deadline.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace gateway {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::seconds longest_lookup{5};
constexpr std::chrono::seconds longest_connect{3};
constexpr unsigned most_silent_in_a_row = 3;

/// A unit that does not answer in time is one thing, a host that cannot be reached another.
Error unless_late(const Error& error)
{
    return error == Fault::timed_out ? asio::error::make_error_code(asio::error::host_unreachable)
                                     : error;
}

}  // namespace

StreamBus::StreamBus(asio::any_io_executor executor, Resolver& resolver, std::string host,
                     std::uint16_t port)
    : executor_(std::move(executor)), resolver_(resolver), host_(std::move(host)), port_(port)
{
}

asio::awaitable<Result<ByteStream*>> StreamBus::connection(Duration gap)
{
    if (gap > Duration::zero()) {
        const auto free_from = last_used_ + gap;
        if (free_from > std::chrono::steady_clock::now()) {
            asio::steady_timer silence(executor_, free_from);
            co_await silence.async_wait(asio::use_awaitable);
        }
    }
    if (stream_ && !stream_->drain()) {
        stream_.reset();
    }
    if (!stream_) {
        if (const auto opened = co_await open(); !opened) {
            co_return opened.error();
        }
    }
    co_return stream_.get();
}

asio::awaitable<Status> StreamBus::open()
{
    auto address = co_await resolver_.resolve(host_, longest_lookup);
    if (!address) {
        co_return unless_late(address.error());
    }
    auto stream = make_tcp_stream(executor_, std::move(*address), port_);
    auto connected = co_await with_deadline(stream->connect(), longest_connect);
    if (!connected) {
        co_return unless_late(connected.error());
    }
    stream_ = std::move(stream);
    silent_in_a_row_ = 0;
    co_return Status();
}

void StreamBus::answered()
{
    silent_in_a_row_ = 0;
    last_used_ = std::chrono::steady_clock::now();
}

void StreamBus::unanswered()
{
    last_used_ = std::chrono::steady_clock::now();
    if (++silent_in_a_row_ >= most_silent_in_a_row) {
        close();
    }
}

}  // namespace gateway
