#pragma once

#include "gateway/core/result.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gateway::http_json {

/// Where a device serves its documents, and how it is known over TLS.
struct Server {
    bool tls = false;
    std::string host;  ///< without brackets
    std::uint16_t port = 80;
    std::string base;         ///< path before the profile's, without a slash at its end
    std::string ca_file;      ///< empty: what the system trusts
    std::string fingerprint;  ///< SHA-256 of the certificate, in hex: that one and no other
};

/// "http://10.0.0.7", "https://[fd00::7]:8443/api"; nothing for anything else. Without a port:
/// `port` for http, 443 for https.
std::optional<Server> parse_url(std::string_view url, std::uint16_t port);

struct Request {
    std::string target;         ///< "/json?live=false"
    std::string authorization;  ///< value of the header, or empty
    std::string header, header_value;
    std::size_t max_body = 65'536;
};

struct Answer {
    unsigned status = 0;
    std::string body;
    std::vector<std::string> challenges;  ///< WWW-Authenticate
    bool goes_on = false;                 ///< the connection takes another request
};

/// The certificates that a server is judged by; made once, at the first connection.
struct Trust;

/// One connection to a server. Runs on the loop; an operation that was cancelled or failed leaves
/// it unusable. Destroying it closes it.
class Connection {
public:
    /// `server` outlives it; `trust`, which connections to one server share, is made when null.
    Connection(boost::asio::any_io_executor executor, const Server& server,
               std::shared_ptr<Trust>& trust);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// `address` is numeric. Over TLS fails with Fault::refused when the certificate is not the
    /// server's; `problem()` says why in words.
    boost::asio::awaitable<Status> open(std::string address);
    /// A body over the limit is Fault::too_large; one that is packed is malformed.
    boost::asio::awaitable<Result<Answer>> get(Request request);
    const std::string& problem() const;

private:
    struct Streams;
    std::unique_ptr<Streams> streams_;
};

}  // namespace gateway::http_json
