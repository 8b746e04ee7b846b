#pragma once

#include "gateway/acquire/supervisor.hpp"
#include "gateway/metrics/page.hpp"
#include "gateway/store/intake.hpp"
#include "gateway/uplink/uplink.hpp"

#include <optional>
#include <string>
#include <vector>

namespace gateway {

/// All that the metrics of a box are made from.
struct BoxFigures {
    struct Device {
        std::string id;
        DeviceStatus status;
    };
    /// What only the store worker knows.
    struct Store {
        StoreUse use;
        std::vector<EpochState> epochs;
        PerLane<std::uint64_t> received{};  ///< sequences of this epoch that the platform has
    };

    std::string box, org;
    Instant now;
    ClockReading clock;
    bool configuration_bad = false;
    std::optional<WallTime> certificate_ends;
    Duration store_busy{}, mqtt_busy{};  ///< with one job
    IntakeCounters intake;
    std::uint64_t rated_bytes = 0;  ///< of the flash; 0: not known
    std::optional<Store> store;     ///< nothing: its worker was busy for too long to be asked
    std::optional<UplinkStatus> uplink;
    Lateness lateness = no_lateness;
    std::vector<Device> devices;
};

/// With more devices only the first of them, by id, have figures of their own.
constexpr std::size_t most_devices_listed = 500;

/// The page of `/metrics`; systemd/metrics.md says what each figure means. Which families there are
/// does not depend on the figures.
std::string metrics_page(const BoxFigures& box, MetricsFormat format);

}  // namespace gateway
