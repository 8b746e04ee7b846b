// What keeps a box from being well, in words.
#include "gateway/app/plain_text.hpp"
#include "gateway/app/status.hpp"

#include <algorithm>
#include <utility>

namespace gateway {

namespace {

constexpr Duration longest_unconfirmed = std::chrono::minutes(5);

void add_platform_problems(const BoxView& box, std::vector<Problem>& problems)
{
    if (!box.uplink_configured) {
        problems.push_back({"no platform is configured",
                            "no platform is configured: add [uplink] to the site file; readings "
                            "are kept meanwhile"});
    } else if (!box.connected) {
        const auto& uplink = box.site->uplink;
        problems.push_back({"the platform is not reached",
                            "no connection to the platform (" + box.uplink_problem + ")" +
                                since_text(box, box.uplink_failing_for) +
                                ": readings are kept meanwhile; check this box's network and "
                                "whether " +
                                uplink.host + ":" + std::to_string(uplink.port) +
                                " is the platform's address"});
    }
    if (box.connected && !box.refused_topic.empty()) {
        problems.push_back({"the broker refuses this box",
                            "the broker does not let this box publish on " + box.refused_topic +
                                ": readings are kept meanwhile; ask the platform's operator to put "
                                "this box into the broker's access list"});
    }
    if (box.connected && !box.too_large.empty()) {
        problems.push_back({"the broker takes no message as large as this box's",
                            "the broker takes no message of " + box.too_large +
                                ": ask the platform's operator to raise its largest packet"});
    }
    if (box.connected && box.unconfirmed_for > longest_unconfirmed) {
        problems.push_back({"the platform confirms no reading",
                            "the platform takes readings and has confirmed none for " +
                                ago_text(box.unconfirmed_for) +
                                ": they are kept here; ask its operator whether the receiver " +
                                box.site->uplink.receiver + " runs"});
    }
    if (const auto days = box.certificate_days_left; days && *days <= urgent_days) {
        problems.push_back({*days < 0 ? std::string("the certificate has ended")
                                      : "the certificate ends in " + std::to_string(*days) +
                                            (*days == 1 ? " day" : " days"),
                            certificate_advice(days)});
    }
}

void add_machine_problems(const BoxView& box, std::vector<Problem>& problems)
{
    if (box.clock.state == ClockState::unset) {
        problems.push_back({"the clock is not set",
                            "the clock is not set: readings are stored and dated later; check "
                            "that a time server can be reached"});
    }
    constexpr double soon_days = 90;
    const auto* left = box.flash.if_contains("days_left");
    if (left != nullptr && left->is_number() && left->to_number<double>() < soon_days) {
        problems.push_back({"the flash is nearly worn",
                            "the flash has taken nearly what it is rated for: replace the card "
                            "within " +
                                std::to_string(left->to_number<int>()) + " days"});
    }
    if (box.store_busy > stalled_after) {
        problems.push_back(
            {"the store stands still", stall_text(box.site->store.path, box.store_busy)});
    } else if (!box.store.usable) {
        problems.push_back({"the store cannot be used",
                            "the store in " + box.site->store.path +
                                " cannot be used: readings wait in memory, where the oldest go "
                                "when it is full and all with the power; see journalctl -u "
                                "smart-gateway, and replace the card if its file system can only "
                                "be read"});
    } else if (box.store.free_bytes < box.site->store.free_floor_bytes) {
        problems.push_back(
            {"the disk is nearly full",
             "the disk is nearly full: " + bytes_text(box.store.free_bytes) + " free"});
    }
}

}  // namespace

std::string stall_text(const std::string& path, Duration busy_for)
{
    return "the store in " + path + " has been busy with one write for " + ago_text(busy_for) +
           ": its card or disk stalls; see dmesg, and replace the card if it happens again";
}

std::string since_text(const BoxView& box, const std::optional<Duration>& age)
{
    if (!age) {
        return {};
    }
    const auto ago = ago_text(std::max(Duration::zero(), *age));
    if (box.clock.state == ClockState::unset) {
        return " for " + ago;
    }
    const auto since = box.clock.wall - std::chrono::duration_cast<std::chrono::milliseconds>(*age);
    return " since " + local_text(since) + " (" + ago + ")";
}

std::optional<Problem> device_problem(const BoxView& box, const DeviceView& device)
{
    const auto& id = device.config->site.id;
    const auto& status = device.status;
    if (!status.enabled || device.is_maintained(box.now)) {
        return std::nullopt;
    }
    const auto problem = [&id](const std::string& what, const std::string& rest) {
        return Problem{id + what, id + what + rest};
    };
    if (!status.answering && status.last_cause == Cause::none) {
        return problem(" has not been read yet", ": wait a moment");
    }
    if (!status.answering) {
        return problem(" does not answer",
                       " (" + to_string(status.last_cause) + ")" +
                           since_text(box, device.failing_for) +
                           ": check its power, its cable and `connect`, then ask: smart-gateway "
                           "why " +
                           id);
    }
    if (status.identified.verdict == IdentityVerdict::mismatch) {
        return problem(
            " is another device than its profile says",
            ": compare its label with: smart-gateway profile show " + device.config->profile->id);
    }
    if (!status.last_good) {
        return problem(" answers but has no good reading yet", ": ask: smart-gateway why " + id);
    }
    if (box.connected && box.store.usable && box.store_busy <= stalled_after && !device.receipted) {
        return Problem{"no reading of " + id + " is confirmed yet",
                       "the platform has not confirmed a reading of " + id + " yet: wait a minute"};
    }
    return std::nullopt;
}

std::vector<Problem> problems_of(const BoxView& box)
{
    std::vector<Problem> problems;
    if (!box.configuration_problem.empty()) {
        problems.push_back(
            {"the site file is bad",
             "the site file is bad and the last good one is used: correct it, then smart-gateway "
             "reload: " +
                 box.configuration_problem.substr(0, box.configuration_problem.find('\n'))});
    }
    add_platform_problems(box, problems);
    add_machine_problems(box, problems);
    if (box.devices.empty()) {
        problems.push_back({"no device is configured",
                            "no device is configured: smart-gateway profile find WORD shows the "
                            "lines to add"});
    }
    for (const auto& device : box.devices) {
        if (auto problem = device_problem(box, device)) {
            problems.push_back(std::move(*problem));
        }
    }
    return problems;
}

std::string verdict_of(const std::vector<Problem>& problems)
{
    if (problems.empty()) {
        return "All is well: every device is read and the platform has its readings.";
    }
    constexpr std::size_t most_named = 4;
    std::string text = "Not all is well: ";
    for (std::size_t i = 0; i < std::min(problems.size(), most_named); ++i) {
        text += (i == 0 ? "" : ", ") + problems[i].name;
    }
    if (problems.size() > most_named) {
        text += ", and " + std::to_string(problems.size() - most_named) + " more";
    }
    return text + ".";
}

}  // namespace gateway
