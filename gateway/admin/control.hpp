#pragma once

#include "gateway/core/json.hpp"
#include "gateway/core/result.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace gateway {

class Listener;

/// The caller's end of one request on the control socket.
class Reply {
public:
    Reply() = default;
    Reply(const Reply&) = delete;
    Reply& operator=(const Reply&) = delete;
    virtual ~Reply() = default;

    /// Sends one line; fails when the caller has gone or does not read for 10 s.
    virtual boost::asio::awaitable<Status> send(json::object line) = 0;
};

/// The answer to a request that is not done, and why.
json::object refusal(std::string_view why);

/// Answers one request; the connection is closed when it returns.
using ControlHandler =
    std::function<boost::asio::awaitable<void>(json::object request, Reply& reply)>;

/// The service's ear for its own command line: a Unix stream socket (mode 0660). A request is one
/// JSON object on one line of at most 64 KB; the answer is one or more such lines. At most 16
/// callers at a time; more wait. Runs on the loop.
class ControlServer {
public:
    /// Binds at once and replaces the socket of a dead process; throws std::system_error when it
    /// cannot.
    ControlServer(boost::asio::any_io_executor executor, const std::string& path,
                  ControlHandler handler);
    ~ControlServer();
    ControlServer(const ControlServer&) = delete;
    ControlServer& operator=(const ControlServer&) = delete;

    /// Serves until it is cancelled.
    boost::asio::awaitable<void> run();
    /// Ends every caller; to be awaited after `run` was cancelled and before destruction.
    boost::asio::awaitable<void> stop();

private:
    std::unique_ptr<Listener> listener_;
};

/// The command line's side, blocking: sends `request` to the service at `path` and gives each
/// answer to `line` until it returns false or the service closes. Fault::not_found when no service
/// listens there.
Status ask(const std::string& path, const json::object& request,
           const std::function<bool(const json::object&)>& line);

}  // namespace gateway
