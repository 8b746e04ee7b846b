#include "gateway/runtime/listener.hpp"

#include "gateway/core/result.hpp"

#include <sys/stat.h>
#include <unistd.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cerrno>
#include <chrono>
#include <sstream>
#include <system_error>
#include <utility>

namespace gateway {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr auto pause_after_a_failure = 100ms;

std::string port_text(const asio::ip::tcp::endpoint& port)
{
    std::ostringstream text;
    text << port;
    return text.str();
}

}  // namespace

/// One caller who is being served.
struct Listener::Active {
    explicit Active(Listener& owner) : listener(owner) { ++listener.active_; }
    ~Active()
    {
        --listener.active_;
        listener.room_.cancel();
    }
    Active(const Active&) = delete;
    Active& operator=(const Active&) = delete;
    Listener& listener;
};

Listener::Listener(const asio::any_io_executor& executor, std::size_t most_callers, Serve serve)
    : acceptor_(executor),
      most_callers_(most_callers),
      serve_(std::move(serve)),
      callers_(executor),
      room_(executor)
{
}

Listener::Listener(asio::any_io_executor executor, const std::string& path,
                   std::size_t most_callers, Serve serve)
    : Listener(executor, most_callers, std::move(serve))
{
    ::unlink(path.c_str());
    listen(asio::local::stream_protocol::endpoint(path), path);
    path_ = path;
    if (::chmod(path.c_str(), 0660) != 0) {
        throw std::system_error(errno, std::generic_category(), path);
    }
}

Listener::Listener(asio::any_io_executor executor, const asio::ip::tcp::endpoint& port,
                   std::size_t most_callers, Serve serve)
    : Listener(executor, most_callers, std::move(serve))
{
    listen(port, port_text(port));
}

Listener::~Listener()
{
    if (!path_.empty()) {
        ::unlink(path_.c_str());
    }
}

void Listener::listen(const Protocol::endpoint& place, const std::string& where)
{
    Error error;
    acceptor_.open(place.protocol(), error);
    if (!error) {
        acceptor_.set_option(asio::socket_base::reuse_address(true), error);
        acceptor_.bind(place, error);
    }
    if (!error) {
        acceptor_.listen(asio::socket_base::max_listen_connections, error);
    }
    if (error) {
        throw std::system_error(error, where);
    }
}

asio::awaitable<void> Listener::run()
{
    for (;;) {
        while (active_ >= most_callers_) {
            co_await pause(asio::steady_timer::time_point::max());
        }
        auto [error, socket] = co_await acceptor_.async_accept(as_result);
        if (error == asio::error::operation_aborted) {
            throw boost::system::system_error(error);
        }
        if (error) {  // no descriptors, most likely
            co_await pause(std::chrono::steady_clock::now() + pause_after_a_failure);
            continue;
        }
        callers_.spawn("caller", serve(std::move(socket)));
    }
}

asio::awaitable<void> Listener::stop()
{
    callers_.cancel();
    co_await callers_.join();
}

asio::awaitable<void> Listener::pause(asio::steady_timer::time_point end)
{
    room_.expires_at(end);
    co_await room_.async_wait(as_result);
}

asio::awaitable<void> Listener::serve(Socket socket)
{
    const Active here(*this);
    co_await serve_(std::move(socket));
}

}  // namespace gateway
