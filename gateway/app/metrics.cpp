// What the box tells whoever scrapes it, and where it listens for that.
#include "gateway/app/box.hpp"
#include "gateway/app/figures.hpp"
#include "gateway/store/store_error.hpp"

#include <utility>

namespace gateway {

namespace asio = boost::asio;

asio::awaitable<std::string> Box::metrics(MetricsFormat format)
{
    BoxFigures box{.store_busy = store_worker_.busy_for(), .mqtt_busy = mqtt_worker_.busy_for()};
    if (box.store_busy < stalled_after) {  // else the page says that it is
        auto look = [this]() -> std::optional<BoxFigures::Store> {
            try {
                BoxFigures::Store store{.use = outbox_.use(), .epochs = outbox_.epochs()};
                for (const auto lane : all_lanes) {
                    store.received[index_of(lane)] =
                        outbox_.received(outbox_.epoch_number(), lane).size();
                }
                return store;
            } catch (const StoreError&) {
                return std::nullopt;  // whoever needs the store tells of it
            }
        };
        box.store = co_await store_worker_.run(look);
    }
    box.box = site_->id;
    box.org = site_->org;
    box.now = clock_.now();
    box.clock = clock_.wall();
    box.configuration_bad = !loaded_.problem.empty();
    box.certificate_ends = certificate_ ? std::optional(certificate_->not_after) : std::nullopt;
    box.intake = intake_.counters();
    box.rated_bytes = site_->store.rating_bytes;
    box.uplink = uplink_ ? std::optional(uplink_->status()) : std::nullopt;
    box.lateness = devices_.lateness();
    for (const auto& [id, device] : devices_.all()) {
        box.devices.push_back({id, device->supervisor->status()});
    }
    co_return metrics_page(box, format);
}

/// The port that the site file asks for; there is none by default.
void Box::open_metrics_port()
{
    if (site_->metrics_listen.empty()) {
        return;
    }
    try {
        metrics_port_ = std::make_unique<MetricsServer>(
            io_.get_executor(), site_->metrics_listen,
            [this](MetricsFormat format) { return metrics(format); });
        metrics_port_task_.spawn("metrics port", metrics_port_->run());
    } catch (const std::system_error& error) {
        tell({"metrics-unreachable",
              Severity::warning,
              "The metrics cannot be had at " + site_->metrics_listen + ": " +
                  error.code().message(),
              {}});
    }
}

asio::awaitable<void> Box::close_metrics_port()
{
    if (metrics_port_) {
        metrics_port_task_.cancel();
        co_await metrics_port_task_.join();
        co_await metrics_port_->stop();
        metrics_port_.reset();
    }
}

}  // namespace gateway
