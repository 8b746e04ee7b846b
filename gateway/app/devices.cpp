#include "gateway/app/devices.hpp"

#include "gateway/runtime/log.hpp"

#include <set>
#include <utility>

namespace gateway {

namespace asio = boost::asio;

namespace {

// Whether a running device may go on as it is. The dictionary holds all that its readings mean.
bool same(const RunningDevice& device, const Site& site, const DeviceConfig& wanted)
{
    const auto& running = device.config();
    return running.profile->sha256 == wanted.profile->sha256 &&
           running.site.connect == wanted.site.connect &&
           running.site.enabled == wanted.site.enabled &&
           running.site.secret == wanted.site.secret &&
           dictionary_json(*device.site, running, {}) == dictionary_json(site, wanted, {});
}

}  // namespace

asio::awaitable<unsigned> Devices::apply(std::shared_ptr<const Site> site,
                                         std::vector<DeviceConfig> wanted)
{
    std::set<std::string> kept, touched;
    phases_ = phases_of(site->id, wanted.size());
    for (auto& config : wanted) {
        const auto next = static_cast<std::uint16_t>(indices_.size() + 1);
        config.index = indices_.try_emplace(config.site.id, next).first->second;
        const auto running = find(config.site.id);
        if (running && same(*running, *site, config)) {
            kept.insert(config.site.id);
        }
    }
    for (auto at = running_.begin(); at != running_.end();) {
        if (kept.contains(at->first)) {
            ++at;
            continue;
        }
        touched.insert(at->first);
        at->second->tasks.cancel();
        co_await at->second->tasks.join();
        at = running_.erase(at);
    }
    for (auto& config : wanted) {
        if (!kept.contains(config.site.id)) {
            touched.insert(config.site.id);
            start(site, std::move(config));
        }
    }
    co_return static_cast<unsigned>(touched.size());
}

void Devices::start(std::shared_ptr<const Site> site, DeviceConfig config)
{
    const auto id = config.site.id;
    auto device = std::make_shared<RunningDevice>(shared_.drivers.executor);
    auto context = shared_.drivers;
    context.exchanges = &device->exchanges;
    Mistakes mistakes;
    auto driver = make_driver(config, context, mistakes);
    if (!driver) {
        shared_.event({.code = "device-refused",
                       .severity = Severity::error,
                       .text = mistakes.text(),
                       .subject = id});
        return;
    }
    auto& started = *device;
    // The site is shared: a reload replaces the application's while this device goes on.
    started.site = std::move(site);
    auto identified = [this, &started](Identified who) {
        return announce(started, std::move(who));
    };
    SupervisorSettings settings{.identified = std::move(identified),
                                .event = shared_.event,
                                .phases = phases_,
                                .probes = probes_of(config),
                                .lateness = &lateness_,
                                .rules = rules_};
    started.supervisor =
        std::make_unique<Supervisor>(std::move(config), std::move(driver), shared_.drivers.clock,
                                     shared_.sink, std::move(settings));
    if (const auto until = shared_.maintained_until(id)) {
        started.supervisor->maintain(*until);
    }
    started.tasks.spawn(id, started.supervisor->run());
    running_[id] = std::move(device);
}

std::shared_ptr<Bus> Devices::probes_of(const DeviceConfig& config)
{
    std::string line;
    for (const auto* key : {"tcp", "rtu_over_tcp", "serial", "url"}) {
        line += get<std::string>(config.site.connect, key, {});
    }
    return line.empty() ? nullptr : shared_.drivers.buses.turns("probes of " + line);
}

asio::awaitable<void> Devices::announce(RunningDevice& device, Identified identified)
{
    const auto turn = co_await announcing_[device.config().index % announcing_.size()].take();
    auto bytes = dictionary_json(*device.site, device.config(), identified);
    device.identified = std::move(identified);
    device.dictionary = dictionary_hash(bytes);
    co_await shared_.intake.announce(device.config().index, device.dictionary, std::move(bytes));
    shared_.changed();
}

asio::awaitable<void> Devices::stop()
{
    for (const auto& [id, device] : running_) {
        device->tasks.cancel();
    }
    for (const auto& [id, device] : running_) {
        co_await device->tasks.join();
    }
    running_.clear();  // drivers that hold a connection end it while the workers still run
}

std::shared_ptr<RunningDevice> Devices::find(std::string_view id) const
{
    const auto at = running_.find(id);
    return at == running_.end() ? nullptr : at->second;
}

std::vector<const DeviceConfig*> Devices::configs() const
{
    std::vector<const DeviceConfig*> configs;
    for (const auto& [id, device] : running_) {
        configs.push_back(&device->config());
    }
    return configs;
}

const RunningDevice* Devices::find(std::uint16_t index) const
{
    for (const auto& [id, device] : running_) {
        if (device->config().index == index) {
            return device.get();
        }
    }
    return nullptr;
}

}  // namespace gateway
