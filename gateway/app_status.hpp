#pragma once

#include "gateway/acquire/supervisor.hpp"
#include "gateway/config/binding.hpp"
#include "gateway/core/json.hpp"
#include "gateway/runtime/clock.hpp"
#include "gateway/store/outbox.hpp"

#include <optional>
#include <string>
#include <vector>

namespace gateway {

/// A device as `status` judges it.
struct DeviceView {
    const DeviceConfig* config = nullptr;
    DeviceStatus status;
    bool receipted = false;  ///< the platform has committed a good reading of it since the start
    std::optional<std::string> first_receipt;  ///< ever
};

/// All that the verdict on a box rests on.
struct BoxView {
    const Site* site = nullptr;
    std::string configuration_source, configuration_problem;
    EpochId epoch;
    Duration uptime{};
    Instant now;
    ClockReading clock;
    bool uplink_configured = false;
    bool connected = false;
    std::string uplink_problem;  ///< why there is no session; empty when there is one
    std::optional<WallTime> last_receipt;
    std::optional<int> certificate_days_left;  ///< nothing: the box has none
    StoreUse store;
    std::vector<EpochState> epochs;
    std::vector<DeviceView> devices;
    std::vector<std::string> advice;
    json::object flash, value;  ///< see app_value.hpp
};

/// What `status` answers: `ok`, `verdict` (one sentence), `missing` (what is wrong and what to try,
/// a sentence each), `facts` and `device_lines` (as laid out for people), and the numbers behind
/// them.
json::object status_json(const BoxView& box);

/// What to do about a certificate that ends soon; empty: nothing yet.
std::string certificate_advice(std::optional<int> days_left);

/// What should be better although it works: from profile `security`, the link, the clock.
std::vector<std::string> advice_for(const Site& site, const std::vector<DeviceConfig>& devices);

}  // namespace gateway
