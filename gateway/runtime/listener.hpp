#pragma once

#include "gateway/runtime/task_group.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <functional>
#include <string>

namespace gateway {

/// Accepts callers at a Unix socket (mode 0660) or a TCP port and serves so many of them at a time;
/// more wait. When a caller cannot be accepted, it tries again a little later. Runs on the loop.
class Listener {
public:
    using Protocol = boost::asio::generic::stream_protocol;
    using Socket = Protocol::socket;
    /// Serves one caller; the connection is closed when it returns.
    using Serve = std::function<boost::asio::awaitable<void>(Socket)>;

    /// Bind at once, the first in the place of the socket of a dead process; throw
    /// std::system_error when they cannot.
    Listener(boost::asio::any_io_executor executor, const std::string& path,
             std::size_t most_callers, Serve serve);
    Listener(boost::asio::any_io_executor executor, const boost::asio::ip::tcp::endpoint& port,
             std::size_t most_callers, Serve serve);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    /// Serves until it is cancelled.
    boost::asio::awaitable<void> run();
    /// Ends every caller; to be awaited after `run` was cancelled and before destruction.
    boost::asio::awaitable<void> stop();

private:
    struct Active;

    Listener(const boost::asio::any_io_executor& executor, std::size_t most_callers, Serve serve);
    void listen(const Protocol::endpoint& place, const std::string& where);
    boost::asio::awaitable<void> pause(boost::asio::steady_timer::time_point end);
    boost::asio::awaitable<void> serve(Socket socket);

    boost::asio::basic_socket_acceptor<Protocol> acceptor_;
    std::string path_;  // of a Unix socket
    std::size_t most_callers_;
    Serve serve_;
    TaskGroup callers_;
    boost::asio::steady_timer room_;
    std::size_t active_ = 0;
};

}  // namespace gateway
