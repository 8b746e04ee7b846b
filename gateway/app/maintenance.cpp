#include "gateway/app/maintenance.hpp"

#include "gateway/core/json.hpp"
#include "gateway/uplink/utc.hpp"

#include <algorithm>

namespace gateway {

namespace {

std::int64_t ms_of(Duration duration)
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

}  // namespace

MaintenanceBook::MaintenanceBook(std::string_view text, const BootId& boot, Instant now,
                                 const ClockReading& clock)
{
    const auto parsed = parse_json(text);
    if (!parsed || !parsed->is_array()) {
        return;
    }
    for (const auto& value : parsed->get_array()) {
        const auto* object = value.if_object();
        const auto device = object == nullptr ? std::string_view() : text_of(*object, "device");
        if (device.empty() || entries_.size() >= most_devices) {
            continue;
        }
        const auto length = std::clamp<Duration>(
            std::chrono::milliseconds(integer_of(*object, "length_ms")), Duration::zero(), longest);
        Duration left = std::chrono::milliseconds(integer_of(*object, "until_boot_ms")) -
                        now.time_since_epoch();
        if (text_of(*object, "boot") != boot.hex()) {
            const auto until = utc_from(text_of(*object, "until"));
            left =
                until && clock.state != ClockState::unset ? Duration(*until - clock.wall) : length;
        }
        if (left > Duration::zero()) {
            entries_[std::string(device)] = {now + std::min(left, length), length,
                                             std::string(text_of(*object, "why"))};
        }
    }
}

std::string MaintenanceBook::text(const BootId& boot, Instant now, const ClockReading& clock) const
{
    json::array list;
    for (const auto& [device, entry] : entries_) {
        json::object object{{"device", device},
                            {"why", entry.why},
                            {"boot", boot.hex()},
                            {"until_boot_ms", ms_of(entry.until.time_since_epoch())},
                            {"length_ms", ms_of(entry.length)}};
        if (clock.state != ClockState::unset) {
            object["until"] =
                utc_text(clock.wall +
                         std::chrono::duration_cast<std::chrono::milliseconds>(entry.until - now));
        }
        list.push_back(std::move(object));
    }
    return json::serialize(list);
}

bool MaintenanceBook::begin(const std::string& device, Instant now, Duration length,
                            std::string_view why)
{
    if (entries_.size() >= most_devices && !entries_.contains(device)) {
        return false;
    }
    length = std::clamp(length, Duration::zero(), longest);
    entries_[device] = {now + length, length, std::string(why.substr(0, longest_why))};
    return true;
}

bool MaintenanceBook::end(const std::string& device)
{
    return entries_.erase(device) > 0;
}

std::vector<std::string> MaintenanceBook::take_over(Instant now)
{
    std::vector<std::string> over;
    for (const auto& [device, entry] : entries_) {
        if (entry.until <= now) {
            over.push_back(device);
        }
    }
    for (const auto& device : over) {
        entries_.erase(device);
    }
    return over;
}

std::optional<Instant> MaintenanceBook::next_end() const
{
    std::optional<Instant> next;
    for (const auto& [device, entry] : entries_) {
        next = std::min(next.value_or(entry.until), entry.until);
    }
    return next;
}

const MaintenanceBook::Entry* MaintenanceBook::find(const std::string& device) const
{
    const auto found = entries_.find(device);
    return found == entries_.end() ? nullptr : &found->second;
}

}  // namespace gateway
