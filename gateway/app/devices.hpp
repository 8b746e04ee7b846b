#pragma once

#include "drivers/registry.hpp"
#include "gateway/acquire/supervisor.hpp"
#include "gateway/config/binding.hpp"
#include "gateway/core/event.hpp"
#include "gateway/runtime/task_group.hpp"
#include "gateway/store/intake.hpp"

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gateway {

/// A device that is being read: what it said of itself, and its supervisor.
struct RunningDevice {
    explicit RunningDevice(boost::asio::any_io_executor executor) : tasks(std::move(executor)) {}
    const DeviceConfig& config() const { return supervisor->device(); }

    std::shared_ptr<const Site> site;  ///< of its dictionary
    Identified identified;
    DictionaryHash dictionary = 0;  ///< 0 until it is announced
    ExchangeLog exchanges;          ///< the driver's
    std::unique_ptr<Supervisor> supervisor;
    TaskGroup tasks;
};

/// Shared with a read by hand that is under way when a reload takes the device out.
using RunningDevices = std::map<std::string, std::shared_ptr<RunningDevice>, std::less<>>;

/// The devices of the box, by id. Runs on the loop.
class Devices {
public:
    /// What every device shares; all of it outlives the devices. `changed` is called when a birth
    /// would read differently.
    struct Shared {
        DriverContext drivers;
        Sink& sink;
        Intake& intake;
        EventListener event;
        std::function<void()> changed;
        /// Until when somebody works at a device.
        std::function<std::optional<Instant>(const std::string& id)> maintained_until;
    };

    explicit Devices(Shared shared) : shared_(std::move(shared)) {}

    /// Makes the devices run as `wanted`: what is the same goes on undisturbed, the rest is stopped
    /// and started. Says how many were touched. A device that its driver refuses is left out, with
    /// an event.
    boost::asio::awaitable<unsigned> apply(std::shared_ptr<const Site> site,
                                           std::vector<DeviceConfig> wanted);
    boost::asio::awaitable<void> stop();

    /// What a driver may use beside them: the same buses.
    const DriverContext& drivers() const { return shared_.drivers; }
    const RunningDevices& all() const { return running_; }
    const Lateness& lateness() const { return lateness_; }
    /// Null when there is none.
    std::shared_ptr<RunningDevice> find(std::string_view id) const;
    std::vector<const DeviceConfig*> configs() const;
    const RunningDevice* find(std::uint16_t index) const;

private:
    void start(std::shared_ptr<const Site> site, DeviceConfig config);
    std::shared_ptr<Bus> probes_of(const DeviceConfig& config);
    boost::asio::awaitable<void> announce(RunningDevice& device, Identified identified);

    Shared shared_;
    Lateness lateness_ = no_lateness;
    Phases phases_;
    std::shared_ptr<RuleBook> rules_ = std::make_shared<RuleBook>();
    RunningDevices running_;
    // Never given to another device in this epoch, also when the device leaves and comes back.
    std::map<std::string, std::uint16_t, std::less<>> indices_;
    // So many dictionaries are in memory at a time, however many devices begin.
    std::array<Bus, 16> announcing_;
};

}  // namespace gateway
