#include "drivers/transport/stream_bus.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace gateway {

namespace asio = boost::asio;

namespace {

constexpr unsigned most_silent_in_a_row = 3;
constexpr unsigned most_drains = 8;

}  // namespace

StreamBus::StreamBus(asio::any_io_executor executor, OpenStream open)
    : executor_(std::move(executor)), open_(std::move(open))
{
}

asio::awaitable<Result<ByteStream*>> StreamBus::connection(Duration gap)
{
    co_await silence(gap);
    // Whoever still talks is let finish.
    for (unsigned i = 0; stream_ && i < most_drains; ++i) {
        const auto drained = stream_->drain();
        if (!drained) {
            stream_.reset();
        } else if (*drained == 0) {
            break;
        } else {
            last_used_ = std::chrono::steady_clock::now();
            co_await silence(gap);
        }
    }
    co_return co_await listen();
}

asio::awaitable<Result<ByteStream*>> StreamBus::listen()
{
    if (!stream_) {
        auto opened = co_await open_();
        if (!opened) {
            co_return opened.error();
        }
        stream_ = std::move(*opened);
        silent_in_a_row_ = 0;
    }
    co_return stream_.get();
}

asio::awaitable<void> StreamBus::silence(Duration gap)
{
    const auto free_from = last_used_ + gap;
    if (free_from > std::chrono::steady_clock::now()) {
        asio::steady_timer timer(executor_, free_from);
        co_await timer.async_wait(asio::use_awaitable);
    }
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
