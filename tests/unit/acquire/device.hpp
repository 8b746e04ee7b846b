#pragma once

#include "gateway/acquire/normalise.hpp"
#include "gateway/acquire/sink.hpp"
#include "gateway/config/binding.hpp"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gateway {

inline Point point_named(std::string id, Duration poll = std::chrono::seconds(10))
{
    Point point;
    point.id = std::move(id);
    point.poll = poll;
    return point;
}

/// A device of the given points, each with its plain scale and offset.
inline DeviceConfig device_of(Profile profile, std::string id = "meter")
{
    DeviceConfig device;
    device.site.id = std::move(id);
    Factors factors;
    for (const auto& point : profile.points) {
        factors.scale.push_back(point.scale.times);
        factors.offset.push_back(point.offset.times);
    }
    device.factors = std::make_shared<const Factors>(std::move(factors));
    device.profile = std::make_shared<const Profile>(std::move(profile));
    device.index = 3;
    return device;
}

inline DeviceConfig device_of(std::vector<Point> points, std::string id = "meter")
{
    Profile profile;
    profile.points = std::move(points);
    return device_of(std::move(profile), std::move(id));
}

inline Normaliser normaliser_of(Profile profile, std::string_view firmware = {})
{
    const auto device = device_of(std::move(profile));
    return {device.index, std::make_shared<const DeviceRules>(device, firmware)};
}

inline BootTime at(std::chrono::milliseconds time)
{
    return BootTime(time);
}

inline Sample sample(std::uint16_t row, Value raw)
{
    Sample result;
    result.row = row;
    result.raw = std::move(raw);
    return result;
}

inline Sample failure(std::uint16_t row, Cause cause)
{
    Sample result;
    result.row = row;
    result.quality = Quality::comm_error;
    result.cause = cause;
    return result;
}

/// A device whose answers a test writes as functions.
class ScriptedDriver final : public Driver {
public:
    struct Script {
        std::function<boost::asio::awaitable<Result<Samples>>(PointSet)> read;
        std::function<Result<Identity>()> identify = [] { return Identity{}; };
        int reads = 0, identifications = 0;
    };

    explicit ScriptedDriver(Script& script) : script_(script) {}

    boost::asio::awaitable<Result<Samples>> read(PointSet due) override
    {
        ++script_.reads;
        return script_.read(due);
    }
    boost::asio::awaitable<Result<Identity>> identify() override
    {
        ++script_.identifications;
        co_return script_.identify();
    }

private:
    Script& script_;
};

/// Keeps what is accepted and counted.
class RecordingSink final : public Sink {
public:
    bool has_room() const override { return room; }
    boost::asio::awaitable<void> wait_for_room() override { co_return; }
    void accept(Lane lane, std::span<const Reading> readings) override
    {
        ++accepts;
        auto& kept = accepted[index_of(lane)];
        kept.insert(kept.end(), readings.begin(), readings.end());
    }
    void count(Lane lane, const SlotCounts& slots) override
    {
        auto& sum = counted[index_of(lane)];
        sum.expected += slots.expected;
        sum.good += slots.good;
        sum.other += slots.other;
        sum.suppressed += slots.suppressed;
        for (const auto& [cause, count] : slots.missed) {
            sum.missed[cause] += count;
        }
    }
    Duration least_distance(Lane) const override { return distance; }
    std::vector<Reading>& readings(Lane lane = Lane::telemetry) { return accepted[index_of(lane)]; }
    SlotCounts& slots(Lane lane = Lane::telemetry) { return counted[index_of(lane)]; }

    bool room = true;
    Duration distance{};
    int accepts = 0;
    PerLane<std::vector<Reading>> accepted;
    PerLane<SlotCounts> counted;
};

inline std::uint64_t all_missed(const SlotCounts& slots)
{
    std::uint64_t sum = 0;
    for (const auto& [cause, count] : slots.missed) {
        sum += count;
    }
    return sum;
}

}  // namespace gateway
