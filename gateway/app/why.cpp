// Why a device is as it is: its state in words, and what went over its wire last.
#include "gateway/app/why.hpp"

#include "drivers/registry.hpp"
#include "gateway/app/plain_cause.hpp"
#include "gateway/app/plain_text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>

namespace gateway {

namespace {

std::string hex_text(ByteView bytes, std::size_t whole)
{
    std::string text;
    for (const auto byte : bytes) {
        std::array<char, 4> digits{};
        std::snprintf(digits.data(), digits.size(), "%02x", byte);
        text += (text.empty() ? "" : " ") + std::string(digits.data());
    }
    return whole > bytes.size() ? text + " and " + std::to_string(whole - bytes.size()) + " more"
                                : text;
}

// "tcp 10.0.0.5:502, unit 1"; what a url carries before the @ is nobody's business.
std::string connect_text(const SettingTable& connect)
{
    std::string text;
    for (const auto& [key, setting] : connect) {
        std::string value;
        if (const auto* number = std::get_if<std::int64_t>(&setting.value)) {
            value = std::to_string(*number);
        } else if (const auto* words = std::get_if<std::string>(&setting.value)) {
            const auto at = words->find('@');
            const auto scheme = words->find("://");
            value = at != std::string::npos && scheme < at
                        ? words->substr(0, scheme + 3) + words->substr(at + 1)
                        : *words;
        } else {
            continue;
        }
        text += text.empty() ? "" : ", ";
        text += key;
        text += ' ';
        text += value;
    }
    return text;
}

std::string polling_text(const BoxView& box, const DeviceStatus& status)
{
    auto text = "every " + ago_text(status.period);
    if (status.period < std::chrono::seconds(1)) {
        const auto period = std::chrono::duration_cast<std::chrono::milliseconds>(status.period);
        text = "every " + std::to_string(period.count()) + " ms";
    }
    if (status.last_good) {
        text += ", the last good value " +
                ago_text(std::max(Duration::zero(), box.now - *status.last_good)) + " ago";
    }
    if (status.failures > 0) {
        text += "; " + std::to_string(status.failures) +
                (status.failures == 1 ? " failure" : " failures in a row");
    }
    if (status.probe_at > box.now) {
        text += ", so it is asked less often: next in " + ago_text(status.probe_at - box.now);
    }
    return text;
}

std::string slots_text(const SlotCounts& slots)
{
    std::string missed;
    for (const auto& [cause, count] : slots.missed) {
        missed +=
            (missed.empty() ? "; missed: " : ", ") + to_string(cause) + " " + std::to_string(count);
    }
    return std::to_string(slots.expected) + " values due since the start, " +
           std::to_string(slots.good) + " stored good, " + std::to_string(slots.other) +
           " stored not good, " + std::to_string(slots.suppressed) + " unchanged" + missed;
}

json::array facts(const BoxView& box, const DeviceView& device)
{
    const auto& config = *device.config;
    const auto& status = device.status;
    const auto& who = status.identified;
    json::array lines;
    const auto add = [&lines](const char* name, const std::string& text) {
        lines.emplace_back(std::string(name) + text);
    };
    add("Profile    ",
        config.profile->id + "@" + config.profile->version + " (" + config.profile->title + ")");
    add("Connected  ", connect_text(config.site.connect));
    add("Identity   ", std::string(to_string(who.verdict)) +
                           (who.serial.empty() ? "" : ", serial " + who.serial) +
                           (who.firmware.empty() ? "" : ", firmware " + who.firmware));
    add("Contract   ", std::string(to_string(config.contract)));
    add("Read       ", polling_text(box, status));
    add("Counts     ", slots_text(status.slots));
    if (device.is_maintained(box.now)) {
        add("Maintained ", "for another " + ago_text(*status.maintenance_until - box.now));
    }
    return lines;
}

// Those that were read and are not good; what `told` means stands elsewhere.
json::array point_lines(const DeviceView& device, Cause told)
{
    json::array lines;
    const auto& points = device.config->profile->points;
    for (const auto& reading : device.status.latest) {
        const auto row = reading.alias.row;
        if (row >= points.size() || points[row].hidden || reading.quality == Quality::good) {
            continue;
        }
        const auto means =
            reading.cause == told ? std::string() : plain(reading.cause, *device.config).means;
        lines.emplace_back(points[row].id + ": " + std::string(to_string(reading.quality)) +
                           (reading.cause == Cause::none ? "" : ", " + to_string(reading.cause)) +
                           (means.empty() ? "" : ". " + means));
    }
    return lines;
}

json::array exchange_objects(const Profile& profile, const ExchangeLog& exchanges)
{
    json::array list;
    const auto now = std::chrono::steady_clock::now();
    const auto explain = explainer(profile);
    exchanges.visit([&](const ExchangeLog::Exchange& exchange) {
        using std::chrono::milliseconds;
        const auto ms = [](auto duration) {
            return std::chrono::duration_cast<milliseconds>(duration).count();
        };
        const auto text = explain(exchange);
        list.push_back({{"ago_ms", ms(now - exchange.at)},
                        {"took_ms", ms(exchange.took)},
                        {"ok", !exchange.error && exchange.refusal == 0},
                        {"sent", hex_text(exchange.sent.view(), exchange.sent.size)},
                        {"received", hex_text(exchange.received.view(), exchange.received.size)},
                        {"request", text.request},
                        {"answer", text.answer}});
    });
    return list;
}

// The cause that the verdict rests on.
Cause cause_of(const DeviceView& device)
{
    const auto& status = device.status;
    if (!status.enabled) {
        return Cause::disabled;
    }
    if (!status.answering) {
        return status.last_cause;
    }
    if (status.identified.verdict == IdentityVerdict::mismatch) {
        return Cause::mismatch;
    }
    for (const auto& reading : status.latest) {
        if (reading.quality != Quality::good && reading.cause != Cause::none) {
            return reading.cause;
        }
    }
    return Cause::none;
}

std::string verdict_of(const BoxView& box, const DeviceView& device)
{
    const auto& id = device.config->site.id;
    if (!device.status.enabled) {
        return id + " is switched off in the site file.";
    }
    const auto problem = device_problem(box, device);
    return problem ? problem->name + since_text(box, device.failing_for) + "."
                   : id + " is read and answers.";
}

}  // namespace

json::object why_json(const BoxView& box, const DeviceView& device, const ExchangeLog& exchanges)
{
    const auto& config = *device.config;
    const auto cause = cause_of(device);
    const auto words = plain(cause, config);
    auto list = exchange_objects(*config.profile, exchanges);
    const auto* note = "Nothing has been exchanged yet.";
    if (!keeps_exchanges(config.profile->driver)) {
        note = "Devices of this kind exchange no frames that could be shown.";
    }
    return {{"ok", !device_problem(box, device)},
            {"device", config.site.id},
            {"verdict", verdict_of(box, device)},
            {"cause", cause == Cause::none ? std::string() : to_string(cause)},
            {"means", words.means},
            {"try", json::array(words.attempts.begin(), words.attempts.end())},
            {"facts", facts(box, device)},
            {"points", point_lines(device, cause)},
            {"exchanges", list},
            {"note", list.empty() ? json::value(note) : json::value(nullptr)}};
}

}  // namespace gateway
