#pragma once

#include "gateway/metrics/page.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace gateway {

class Listener;

/// Makes a page; awaited on the loop.
using MetricsSource = std::function<boost::asio::awaitable<std::string>(MetricsFormat format)>;

/// Answers `GET /metrics` over HTTP/1.1, one request a connection, on a Unix socket (mode 0660) or
/// a loopback port. A request has at most 8 KB; at most 4 callers at a time, more wait; who asks or
/// reads too slowly is cut off after 10 s. Runs on the loop.
class MetricsServer {
public:
    /// `where` is the path of a socket, with a slash in it, or `127.0.0.1:9100`. Binds at once and
    /// replaces the socket of a dead process; throws std::system_error when it cannot, or when
    /// `where` is neither.
    MetricsServer(boost::asio::any_io_executor executor, const std::string& where,
                  MetricsSource source);
    ~MetricsServer();
    MetricsServer(const MetricsServer&) = delete;
    MetricsServer& operator=(const MetricsServer&) = delete;

    /// Serves until it is cancelled.
    boost::asio::awaitable<void> run();
    /// Ends every caller; to be awaited after `run` was cancelled and before destruction.
    boost::asio::awaitable<void> stop();

private:
    std::unique_ptr<Listener> listener_;
};

/// What a scraper's Accept header asks for; OpenMetrics unless it wants only the older text.
MetricsFormat metrics_format(std::string_view accept);

/// `where` names a Unix socket or a port of this machine alone.
bool is_metrics_place(std::string_view where);

}  // namespace gateway
