// What the receiver tells whoever scrapes it.
#include "gateway/receiver/session.hpp"

#include <utility>

namespace gateway {

namespace asio = boost::asio;

void ReceiverSession::open_metrics()
{
    for (const auto& where : settings_.metrics) {
        metrics_.push_back(std::make_unique<MetricsServer>(
            executor_, where, [this](MetricsFormat format) { return metrics(format); }));
    }
}

asio::awaitable<std::string> ReceiverSession::metrics(MetricsFormat format)
{
    const SessionFigures here{connected_, connections_, arrived_bytes_};
    auto make = [this, here, format] { return reception_.metrics(here, format); };
    co_return co_await store_.run(std::move(make));
}

}  // namespace gateway
