#include "gateway/uplink/birth.hpp"

#include "gateway/core/json.hpp"
#include "gateway/uplink/utc.hpp"

#include <utility>

namespace gateway {

namespace {

json::value time_or_null(const std::optional<WallTime>& time)
{
    return time ? json::value(utc_text(*time)) : json::value(nullptr);
}

template <typename T>
json::value or_null(const std::optional<T>& value)
{
    return value ? json::value(*value) : json::value(nullptr);
}

json::object clock_object(const ClockReading& clock)
{
    constexpr auto unknown = ClockReading{}.error_ms;
    json::object object;
    object["state"] = to_string(clock.state);
    object["error_ms"] =
        clock.error_ms == unknown ? json::value(nullptr) : json::value(clock.error_ms);
    return object;
}

json::object device_object(const BirthDevice& device)
{
    json::object verdict;
    verdict["identity"] = to_string(device.identity);
    verdict["contract"] = to_string(device.contract);
    json::object object;
    object["index"] = device.index;
    object["id"] = device.id;
    object["name"] = device.name;
    object["dictionary"] = hash_hex(device.dictionary);
    object["profile"] = device.profile;
    object["profile_sha256"] = device.profile_sha256;
    object["verdict"] = std::move(verdict);
    object["enabled"] = device.enabled;
    object["maintenance_until"] = time_or_null(device.maintenance_until);
    object["first_receipt"] = or_null(device.first_receipt);
    return object;
}

json::object epoch_object(const EpochState& epoch)
{
    json::object lanes;
    for (const auto lane : all_lanes) {
        const auto& counters = epoch.lanes[index_of(lane)];
        if (counters.head > 0) {
            json::object held;
            held["first_held"] = counters.first_held;
            held["head"] = counters.head;
            lanes[to_string(lane)] = std::move(held);
        }
    }
    json::object object;
    object["closed"] = epoch.closed;
    object["boot"] = epoch.boot.hex();
    object["lanes"] = std::move(lanes);
    return object;
}

json::object disk_object(const StoreUse& disk)
{
    json::object object;
    object["usable"] = disk.usable;
    object["budget_bytes"] = disk.budget_bytes;
    object["used_bytes"] = disk.used_bytes;
    object["free_bytes"] = disk.free_bytes;
    object["written_bytes"] = disk.written_bytes;
    return object;
}

json::object profiles_object(const BirthInput& box)
{
    json::object object;
    object["catalogue_serial"] = or_null(box.catalogue_serial);
    object["trust"] = box.trust == Trust::state ? "state" : "local";
    return object;
}

json::object configuration_object(const BirthInput& box)
{
    json::object object;
    object["hash"] = box.configuration_hash;
    object["source"] = box.configuration_source;
    object["problem"] = or_null(box.configuration_problem);
    return object;
}

json::value location_value(const std::optional<Location>& location)
{
    if (!location) {
        return nullptr;
    }
    json::object object;
    object["lat"] = location->lat;
    object["lon"] = location->lon;
    return object;
}

}  // namespace

std::string birth_json(const BirthInput& box, const BirthSession& session)
{
    json::object birth;
    birth["schema"] = "smartstate.birth/1";
    birth["box"] = session.box;
    birth["org"] = session.org;
    birth["name"] = box.name;
    birth["location"] = location_value(box.location);
    birth["software"] = box.software;
    birth["os"] = box.os;
    birth["boot"] = box.boot.hex();
    birth["epoch"] = session.epoch.hex();
    birth["session"] = session.session;
    birth["uptime_s"] = std::chrono::duration_cast<std::chrono::seconds>(box.uptime).count();
    birth["started"] = time_or_null(box.started);
    birth["clock"] = clock_object(box.clock);
    birth["release"] = session.release == Release::receipt ? "receipt" : "puback";
    birth["receiver"] = session.receiver;
    birth["profiles"] = profiles_object(box);
    birth["certificate_days_left"] = or_null(box.certificate_days_left);
    birth["disk"] = disk_object(session.disk);
    birth["configuration"] = configuration_object(box);
    json::array advice(box.advice.begin(), box.advice.end());
    birth["advice"] = std::move(advice);
    birth["first_start"] = time_or_null(box.first_start);
    birth["first_receipt"] = or_null(session.first_receipt);
    json::array devices;
    for (const auto& device : box.devices) {
        devices.push_back(device_object(device));
    }
    birth["devices"] = std::move(devices);
    json::object epochs;
    for (const auto& epoch : session.epochs) {
        epochs[epoch.id.hex()] = epoch_object(epoch);
    }
    birth["epochs"] = std::move(epochs);
    if (!box.flash.empty()) {
        birth["flash"] = box.flash;
    }
    if (!box.value.empty()) {
        birth["value"] = box.value;
    }
    return json::serialize(birth);
}

std::string state_json(const std::string& box, const std::string& session, std::string_view state)
{
    json::object object;
    object["schema"] = "smartstate.state/1";
    object["box"] = box;
    object["session"] = session;
    object["state"] = state;
    return json::serialize(object);
}

}  // namespace gateway
