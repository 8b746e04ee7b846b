#include "gateway/app_status.hpp"

#include "gateway/uplink/utc.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>

namespace gateway {

namespace {

using namespace std::chrono_literals;

constexpr int early_days = 30, urgent_days = 14;  // before a certificate ends

std::string bytes_text(std::uint64_t bytes)
{
    constexpr std::array<const char*, 4> units{"B", "KiB", "MiB", "GiB"};
    double number = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; number >= 1024 && unit + 1 < units.size(); ++unit) {
        number /= 1024;
    }
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", number, units[unit]);
    return text.data();
}

std::string ago_text(Duration age)
{
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
    if (seconds < 120) {
        return std::to_string(seconds) + " s";
    }
    return seconds < 7200 ? std::to_string(seconds / 60) + " min"
                          : std::to_string(seconds / 3600) + " h";
}

// For people: local, with its offset.
std::string local_text(WallTime time)
{
    const auto seconds = std::chrono::system_clock::to_time_t(
        std::chrono::system_clock::time_point(time.time_since_epoch()));
    tm parts{};
    std::array<char, 40> text{};
    if (localtime_r(&seconds, &parts) == nullptr ||
        std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S %z", &parts) == 0) {
        return utc_text(time);
    }
    return text.data();
}

std::uint64_t queued(const BoxView& box)
{
    std::uint64_t readings = 0;
    for (const auto& epoch : box.epochs) {
        for (const auto& lane : epoch.lanes) {
            readings += lane.queued;
        }
    }
    return readings;
}

bool in_maintenance(const BoxView& box, const DeviceView& device)
{
    return device.status.maintenance_until && *device.status.maintenance_until > box.now;
}

// Why this device keeps the box from being well; empty: it does not.
std::string device_problem(const BoxView& box, const DeviceView& device)
{
    const auto& id = device.config->site.id;
    const auto& status = device.status;
    if (!status.enabled || in_maintenance(box, device)) {
        return {};
    }
    if (!status.answering) {
        return id + " does not answer (" + to_string(status.last_cause) +
               "): check its power, its cable and `connect`, then try: smart-gateway read " + id;
    }
    if (status.identified.verdict == IdentityVerdict::mismatch) {
        return id +
               " is another device than its profile says: compare its label with: smart-gateway "
               "profile show " +
               device.config->profile->id;
    }
    if (!status.last_good) {
        return id + " answers but has no good reading yet: see smart-gateway read " + id;
    }
    if (box.uplink_configured && !device.receipted) {
        return "the platform has not confirmed a reading of " + id + " yet: wait a minute";
    }
    return {};
}

void add_problems(const BoxView& box, json::array& missing)
{
    const auto add = [&missing](const std::string& text) { missing.emplace_back(text); };
    if (!box.configuration_problem.empty()) {
        add("the site file is bad and the last good one is used: correct it, then smart-gateway "
            "reload: " +
            box.configuration_problem.substr(0, box.configuration_problem.find('\n')));
    }
    if (!box.uplink_configured) {
        add("no platform is configured: add [uplink] to the site file; readings are kept "
            "meanwhile");
    } else if (!box.connected) {
        add("no connection to the platform (" + box.uplink_problem +
            "): readings are kept meanwhile");
    }
    if (box.certificate_days_left && *box.certificate_days_left <= urgent_days) {
        add(certificate_advice(box.certificate_days_left));
    }
    if (box.devices.empty()) {
        add("no device is configured: smart-gateway profile find WORD shows the lines to add");
    }
    for (const auto& device : box.devices) {
        if (const auto problem = device_problem(box, device); !problem.empty()) {
            add(problem);
        }
    }
    if (box.clock.state == ClockState::unset) {
        add("the clock is not set: readings are stored and dated later; check that a time server "
            "can be reached");
    }
    constexpr double soon_days = 90;
    const auto* left = box.flash.if_contains("days_left");
    if (left != nullptr && left->is_number() && left->to_number<double>() < soon_days) {
        add("the flash has taken nearly what it is rated for: replace the card within " +
            std::to_string(left->to_number<int>()) + " days");
    }
    if (box.store.free_bytes < box.site->store.free_floor_bytes) {
        add("the disk is nearly full: " + bytes_text(box.store.free_bytes) + " free");
    }
}

std::string device_line(const BoxView& box, const DeviceView& device)
{
    const auto& status = device.status;
    std::size_t good = 0;
    for (const auto& reading : status.latest) {
        good += reading.quality == Quality::good && !reading.value.is_none() ? 1U : 0U;
    }
    std::string state = "answers";
    if (!status.enabled) {
        state = "switched off";
    } else if (in_maintenance(box, device)) {
        state = "in maintenance";
    } else if (!status.answering) {
        state = "does not answer (" + to_string(status.last_cause) + ")";
    }
    std::string line = device.config->site.id + ": " + state + ", " + std::to_string(good) +
                       " of " + std::to_string(visible_points(*device.config->profile)) +
                       " points good";
    if (status.last_good) {
        line +=
            ", last " + ago_text(std::max(Duration::zero(), box.now - *status.last_good)) + " ago";
    }
    return line + ", " + std::string(to_string(status.identified.verdict)) + ", " +
           std::string(to_string(device.config->contract));
}

double number_of(const json::object& object, std::string_view name)
{
    const auto* value = object.if_contains(name);
    return value != nullptr && value->is_number() ? value->to_number<double>() : 0;
}

std::string bytes_of(const json::object& object, std::string_view name)
{
    return bytes_text(static_cast<std::uint64_t>(number_of(object, name)));
}

// Empty before anything was counted.
std::string flash_line(const json::object& flash)
{
    if (number_of(flash, "written_bytes") == 0) {
        return {};
    }
    auto line = "Flash      " + bytes_of(flash, "written_today_bytes") + " written today, " +
                bytes_of(flash, "written_yesterday_bytes") + " the day before";
    if (const auto each = number_of(flash, "bytes_per_reading"); each > 0) {
        line += ", " + std::to_string(std::llround(each)) + " B a reading";
    }
    if (flash.at("days_left").is_number()) {
        line += "; at this rate its rating lasts " +
                std::to_string(std::llround(number_of(flash, "days_left"))) + " days";
    }
    if (number_of(flash, "interval_stretch") > 1) {
        line += "; batches wait longer, to write less";
    }
    return line;
}

json::array facts(const BoxView& box)
{
    const auto error = box.clock.error_ms == ClockReading{}.error_ms
                           ? std::string("unknown")
                           : std::to_string(box.clock.error_ms) + " ms";
    constexpr std::array<const char*, 3> states{"not set", "kept since it was last set", "set"};
    json::array lines;
    lines.emplace_back("Box        " + box.site->id + " (" + box.site->name + "), running for " +
                       ago_text(box.uptime));
    lines.emplace_back("Platform   " + (box.connected
                                            ? "connected, last receipt " +
                                                  (box.last_receipt ? local_text(*box.last_receipt)
                                                                    : std::string("not yet"))
                                            : std::string("not connected")));
    lines.emplace_back("Queue      " + std::to_string(queued(box)) +
                       " readings wait for the platform");
    lines.emplace_back("Store      " + bytes_text(box.store.used_bytes) + " of " +
                       bytes_text(box.store.budget_bytes) + " used, " +
                       bytes_text(box.store.free_bytes) + " free on the disk");
    if (const auto line = flash_line(box.flash); !line.empty()) {
        lines.emplace_back(line);
    }
    if (box.certificate_days_left) {
        lines.emplace_back("Certificate " + std::to_string(*box.certificate_days_left) +
                           " days left");
    }
    lines.emplace_back(std::string("Clock      ") +
                       states[static_cast<std::size_t>(box.clock.state)] + ", error at most " +
                       error);
    lines.emplace_back("Site file  " + box.configuration_source);
    return lines;
}

json::array device_objects(const BoxView& box)
{
    json::array devices;
    for (const auto& device : box.devices) {
        const auto& status = device.status;
        devices.push_back(
            {{"id", device.config->site.id},
             {"profile", device.config->profile->id + "@" + device.config->profile->version},
             {"answering", status.answering},
             {"enabled", status.enabled},
             {"receipted", device.receipted},
             {"first_receipt",
              device.first_receipt ? json::value(*device.first_receipt) : json::value(nullptr)},
             {"identity", to_string(status.identified.verdict)},
             {"contract", to_string(device.config->contract)},
             {"slots_expected", status.slots.expected},
             {"slots_good", status.slots.good}});
    }
    return devices;
}

}  // namespace

json::object status_json(const BoxView& box)
{
    json::array missing;
    add_problems(box, missing);
    const bool ok = missing.empty();
    json::array lines;
    for (const auto& device : box.devices) {
        lines.emplace_back(device_line(box, device));
    }
    json::array advice(box.advice.begin(), box.advice.end());
    if (const auto soon = certificate_advice(box.certificate_days_left);
        !soon.empty() && *box.certificate_days_left > urgent_days) {
        advice.emplace_back(soon);
    }
    const auto verdict =
        ok ? std::string("All is well: every device is read and the platform has its readings.")
           : "Not all is well: " + std::to_string(missing.size()) +
                 (missing.size() == 1 ? " thing needs" : " things need") + " attention.";
    return {{"ok", ok},
            {"verdict", verdict},
            {"missing", missing},
            {"facts", facts(box)},
            {"device_lines", lines},
            {"advice", advice},
            {"box", box.site->id},
            {"org", box.site->org},
            {"epoch", box.epoch.hex()},
            {"connected", box.connected},
            {"certificate_days_left", box.certificate_days_left
                                          ? json::value(*box.certificate_days_left)
                                          : json::value(nullptr)},
            {"queued_readings", queued(box)},
            {"store",
             {{"used_bytes", box.store.used_bytes},
              {"budget_bytes", box.store.budget_bytes},
              {"written_bytes", box.store.written_bytes},
              {"free_bytes", box.store.free_bytes}}},
            {"flash", box.flash},
            {"value", box.value},
            {"devices", device_objects(box)}};
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

std::vector<std::string> advice_for(const Site& site, const std::vector<DeviceConfig>& devices)
{
    std::vector<std::string> advice;
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
    for (const auto& device : devices) {
        if (device.profile->cleartext) {
            clear.push_back(device.site.id);
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
