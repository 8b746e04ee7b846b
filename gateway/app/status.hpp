#pragma once

#include "gateway/acquire/supervisor.hpp"
#include "gateway/config/binding.hpp"
#include "gateway/core/json.hpp"
#include "gateway/runtime/clock.hpp"
#include "gateway/store/outbox.hpp"

#include <map>
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
    std::optional<Duration> failing_for;       ///< longer than this process runs, if it was known
    std::string maintenance_why;

    bool is_maintained(Instant now) const
    {
        return status.maintenance_until && *status.maintenance_until > now;
    }
};

/// A store that is busy with one job for longer is not waited for: its card or disk stalls.
constexpr Duration stalled_after = std::chrono::seconds(2);

/// What the store says of itself.
struct StoreView {
    EpochId epoch;
    StoreUse use;
    std::vector<EpochState> epochs;
    std::map<std::string, bool> receipted;  ///< by device: the first good reading since the start
};

/// What is wrong with a store that is busy for so long, and what to try.
std::string stall_text(const std::string& path, Duration busy_for);

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
    std::optional<Duration> uplink_failing_for;
    std::optional<WallTime> last_receipt;
    Duration unconfirmed_for{};  ///< the broker has readings that no receipt followed for so long
    std::string refused_topic;   ///< by the broker; empty: none
    std::string too_large;       ///< what the broker does not take at once; empty: nothing
    std::optional<int> certificate_days_left;  ///< nothing: the box has none
    StoreUse store;
    Duration store_busy{};  ///< with one job; over `stalled_after`: what is said of it is older
    std::vector<EpochState> epochs;
    std::vector<DeviceView> devices;
    std::vector<std::string> advice;
    json::object flash, value;  ///< see value.hpp
};

/// One thing that keeps a box from being well.
struct Problem {
    std::string name;  ///< a few words: "meter-2 does not answer"
    std::string text;  ///< a sentence: what is wrong, since when, and what to try
};

/// Why this device keeps the box from being well; nothing: it does not.
std::optional<Problem> device_problem(const BoxView& box, const DeviceView& device);
/// " since 2026-08-01 12:00:00 +0200 (3 h)"; empty when that is not known.
std::string since_text(const BoxView& box, const std::optional<Duration>& age);

/// "14 KiB of 64 MiB used, 70.1 GiB free on the disk"
std::string store_text(const StoreUse& store);

/// The box's own first, then the devices'.
std::vector<Problem> problems_of(const BoxView& box);
/// One sentence that names the first of them.
std::string verdict_of(const std::vector<Problem>& problems);

/// What `status` answers: `ok`, `verdict` (one sentence), `missing` (what is wrong and what to try,
/// a sentence each), `facts` and `device_lines` (as laid out for people), and the numbers behind
/// them.
json::object status_json(const BoxView& box);

/// What to do about a certificate that ends soon; empty: nothing yet.
std::string certificate_advice(std::optional<int> days_left);

/// Days before its end: from then on it is an advice, and a problem.
constexpr int early_days = 30, urgent_days = 14;

/// What lasts only for a while.
void add_state_advice(const BoxView& box, json::array& advice);

/// What should be better although it works: from profile `security`, the link, and the machine.
std::vector<std::string> advice_for(const Site& site,
                                    const std::vector<const DeviceConfig*>& devices,
                                    const ClockReading& clock);

}  // namespace gateway
