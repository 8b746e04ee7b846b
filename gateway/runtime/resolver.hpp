#pragma once

#include "gateway/core/reading.hpp"
#include "gateway/core/result.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <netdb.h>

#include <functional>
#include <memory>
#include <string>

namespace gateway {

/// getaddrinfo(3), or what a test puts in its place.
using LookUp =
    std::function<int(const char* host, const char* port, const addrinfo* hints, addrinfo** found)>;

/// Looks names up on a thread of its own: getaddrinfo(3) cannot be cancelled, so a look-up that
/// outlives its limit is abandoned, also at exit. Members are called on the loop.
class Resolver {
public:
    explicit Resolver(boost::asio::any_io_executor executor, LookUp look_up = ::getaddrinfo);
    ~Resolver();
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

    /// A numeric address of `host` (itself when it is numeric already); Fault::timed_out after
    /// `limit`, Fault::not_found.
    boost::asio::awaitable<Result<std::string>> resolve(std::string host, Duration limit);

private:
    class State;
    std::shared_ptr<State> state_;  // shared with the thread, which may outlive this object
};

}  // namespace gateway
