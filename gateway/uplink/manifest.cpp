#include "gateway/uplink/manifest.hpp"

#include "gateway/core/json.hpp"

#include <utility>

namespace gateway {

namespace {

template <typename Name>
json::object counts(const std::map<Name, std::uint64_t>& of)
{
    json::object object;
    for (const auto& [name, count] : of) {
        object[to_string(name)] = count;
    }
    return object;
}

json::object lane_object(const LaneCounters& lane)
{
    json::object slots;
    slots["expected"] = lane.slots.expected;
    slots["good"] = lane.slots.good;
    slots["other"] = lane.slots.other;
    slots["suppressed"] = lane.slots.suppressed;
    slots["missed"] = counts(lane.slots.missed);
    json::object object;
    object["head"] = lane.head;
    object["count"] = lane.count;
    object["sum"] = hash_hex(lane.sum);
    object["quality"] = counts(lane.quality);
    object["cause"] = counts(lane.cause);
    object["slots"] = std::move(slots);
    object["tombstoned"] = lane.tombstoned;
    object["queued"] = lane.queued;
    return object;
}

}  // namespace

std::string manifest_json(const std::string& box, const std::vector<EpochState>& epochs)
{
    json::object all;
    for (const auto& epoch : epochs) {
        if (epoch.salvaged) {
            continue;  // its counts are whole only when its last row has come over
        }
        json::object lanes;
        for (const auto lane : all_lanes) {
            const auto& counters = epoch.lanes[index_of(lane)];
            if (counters.head > 0 || counters.slots.expected > 0) {
                lanes[to_string(lane)] = lane_object(counters);
            }
        }
        all[epoch.id.hex()] = std::move(lanes);
    }
    json::object manifest;
    manifest["schema"] = "smartstate.manifest/1";
    manifest["box"] = box;
    manifest["epochs"] = std::move(all);
    return json::serialize(manifest);
}

}  // namespace gateway
