#include "drivers/transport/buses.hpp"

#include <utility>

namespace gateway {

Buses::Buses(boost::asio::any_io_executor executor, Resolver& resolver)
    : executor_(std::move(executor)), resolver_(resolver)
{
}

std::shared_ptr<StreamBus> Buses::tcp(const std::string& host, std::uint16_t port)
{
    std::erase_if(by_target_, [](const auto& entry) { return entry.second.expired(); });
    auto& known = by_target_["tcp:" + host + ":" + std::to_string(port)];
    auto bus = known.lock();
    if (!bus) {
        bus = std::make_shared<StreamBus>(executor_, resolver_, host, port);
        known = bus;
    }
    return bus;
}

}  // namespace gateway
