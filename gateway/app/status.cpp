#include "gateway/app/status.hpp"

#include "gateway/app/plain_text.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace gateway {

namespace {

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

std::string device_line(const BoxView& box, const DeviceView& device)
{
    const auto& status = device.status;
    const auto& points = device.config->profile->points;
    std::size_t good = 0;
    for (std::size_t row = 0; row < std::min(points.size(), status.latest.size()); ++row) {
        const auto& reading = status.latest[row];
        const bool counts = !points[row].hidden && reading.quality == Quality::good;
        good += counts && !reading.value.is_none() ? 1U : 0U;
    }
    std::string state = "answers";
    if (!status.enabled) {
        state = "switched off";
    } else if (device.is_maintained(box.now)) {
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
    lines.emplace_back("Store      " + store_text(box.store));
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

std::string store_text(const StoreUse& store)
{
    const auto used =
        bytes_text(store.used_bytes) + " of " + bytes_text(store.budget_bytes) + " used, ";
    return (store.usable ? used : "cannot be used, ") + bytes_text(store.free_bytes) +
           " free on the disk";
}

json::object status_json(const BoxView& box)
{
    const auto problems = problems_of(box);
    const bool ok = problems.empty();
    json::array missing;
    for (const auto& problem : problems) {
        missing.emplace_back(problem.text);
    }
    json::array lines;
    for (const auto& device : box.devices) {
        lines.emplace_back(device_line(box, device));
    }
    json::array advice(box.advice.begin(), box.advice.end());
    add_state_advice(box, advice);
    return {{"ok", ok},
            {"verdict", verdict_of(problems)},
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
             {{"usable", box.store.usable},
              {"busy_s", std::chrono::floor<std::chrono::seconds>(box.store_busy).count()},
              {"used_bytes", box.store.used_bytes},
              {"budget_bytes", box.store.budget_bytes},
              {"written_bytes", box.store.written_bytes},
              {"free_bytes", box.store.free_bytes}}},
            {"flash", box.flash},
            {"value", box.value},
            {"devices", device_objects(box)}};
}

}  // namespace gateway
