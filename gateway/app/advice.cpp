// What should be better although it works.
#include "gateway/app/machine_advice.hpp"
#include "gateway/app/plain_text.hpp"
#include "gateway/app/status.hpp"

namespace gateway {

void add_state_advice(const BoxView& box, json::array& advice)
{
    if (const auto soon = certificate_advice(box.certificate_days_left);
        !soon.empty() && *box.certificate_days_left > urgent_days) {
        advice.emplace_back(soon);
    }
    for (const auto& device : box.devices) {
        if (device.is_maintained(box.now)) {
            const auto& id = device.config->site.id;
            std::string text = "Somebody works at " + id;
            if (!device.maintenance_why.empty()) {
                text += " (" + device.maintenance_why + ")";
            }
            text += ", for another " + ago_text(*device.status.maintenance_until - box.now);
            text += ": its readings count as suspect. When it is done: smart-gateway maintain ";
            text += id + " --end";
            advice.emplace_back(text);
        }
    }
}

std::string certificate_advice(std::optional<int> days_left)
{
    if (!days_left || *days_left > early_days) {
        return {};
    }
    const std::string when =
        *days_left < 0 ? "has ended" : "ends in " + std::to_string(*days_left) + " days";
    return "the certificate of this box " + when +
           ": have the request of smart-gateway enroll signed, then smart-gateway enroll "
           "--certificate FILE";
}

std::vector<std::string> advice_for(const Site& site,
                                    const std::vector<const DeviceConfig*>& devices,
                                    const ClockReading& clock)
{
    auto advice = machine_advice(site, clock);
    if (!site.uplink.host.empty() && !site.uplink.tls) {
        advice.emplace_back(
            "The link to the platform is not encrypted: use mqtts:// outside a laboratory.");
    }
    if (site.uplink.release == Release::puback) {
        advice.emplace_back(
            "release = \"puback\" frees a reading when the broker has it, not when the platform "
            "has: "
            "use \"receipt\" where a receiver runs.");
    }
    std::vector<std::string> clear;
    for (const auto* device : devices) {
        if (device->profile->cleartext) {
            clear.push_back(device->site.id);
        }
    }
    if (!clear.empty()) {
        std::string names;
        for (const auto& id : clear) {
            names += (names.empty() ? "" : ", ") + id;
        }
        advice.push_back(
            "Keep on a network of their own, their protocol is not protected: " + names + ".");
    }
    return advice;
}

}  // namespace gateway
