#pragma once

#include "gateway/runtime/clock.hpp"
#include "gateway/tls/trouble.hpp"

#include <boost/asio/awaitable.hpp>

namespace gateway::tls {

/// For TLS 1.2; none of them exists before it, so nothing older is spoken.
constexpr const char* cipher_suites = "ECDHE+AESGCM:ECDHE+CHACHA20";

/// Makes a TLS connection of its own, as a client of `peer` would, and says what is wrong with it.
/// Nothing is sent over it. Ends within about `limit`, also when the other side never answers.
boost::asio::awaitable<Finding> probe(Peer peer, Duration limit);

}  // namespace gateway::tls
