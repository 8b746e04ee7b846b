#pragma once

#include "drivers/transport/stream_bus.hpp"

#include <map>
#include <memory>
#include <string>

namespace gateway {

/// The buses of a box, one per target, so that the units behind one gateway take turns. A bus is
/// shared by the drivers of its units and ends with the last of them. Runs on the loop.
class Buses {
public:
    Buses(boost::asio::any_io_executor executor, Resolver& resolver);

    std::shared_ptr<StreamBus> tcp(const std::string& host, std::uint16_t port);

private:
    boost::asio::any_io_executor executor_;
    Resolver& resolver_;
    std::map<std::string, std::weak_ptr<StreamBus>> by_target_;  ///< "tcp:host:port"
};

}  // namespace gateway
