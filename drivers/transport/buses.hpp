#pragma once

#include "drivers/transport/serial_line.hpp"
#include "drivers/transport/stream_bus.hpp"
#include "gateway/runtime/resolver.hpp"

#include <map>
#include <memory>
#include <string>

namespace gateway {

/// The buses of a box, one per target, so that the units behind one gateway or on one serial line
/// take turns. A bus is shared by the drivers of its units and ends with the last of them. Runs on
/// the loop.
class Buses {
public:
    Buses(boost::asio::any_io_executor executor, Resolver& resolver);

    /// The name is looked up each time the connection is opened, so a device may move.
    std::shared_ptr<StreamBus> tcp(const std::string& host, std::uint16_t port);
    /// Null with a mistake at `connect` when the port is in use with other settings.
    std::shared_ptr<StreamBus> serial(const SerialLine& line, const Place& place,
                                      Mistakes& mistakes);
    /// The turns at anything that has no connection of its own to share them: a server whose
    /// connections come and go ("host:port"), or the probes of silent devices on one line.
    std::shared_ptr<Bus> turns(const std::string& target);

private:
    struct Known {
        std::weak_ptr<StreamBus> bus;
        SerialLine line;  ///< of a serial port
    };
    using Entry = std::map<std::string, Known>::value_type;

    Entry& entry_of(const std::string& target);
    std::shared_ptr<StreamBus> share(Entry& entry, OpenStream open);

    boost::asio::any_io_executor executor_;
    Resolver& resolver_;
    std::map<std::string, Known> by_target_;  ///< "tcp:host:port", "serial:/dev/ttyUSB0"
    std::map<std::string, std::weak_ptr<Bus>> turns_;
};

}  // namespace gateway
