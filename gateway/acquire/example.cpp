#include "gateway/acquire/example.hpp"

#include "gateway/acquire/normalise.hpp"

#include <numeric>
#include <utility>

namespace gateway {

namespace {

/// 1 for a parameter without a default.
Fraction with_default(const Factor& factor, const Profile& profile)
{
    Fraction value(1);
    for (const auto& parameter : profile.parameters) {
        if (parameter.id == factor.parameter) {
            value = parameter.otherwise.value_or(value);
        }
    }
    return factor.parameter.empty() ? factor.times : value.times(factor.times).value_or(value);
}

std::string value_seen(const Reading& reading, const Point& point, const DeviceConfig& device)
{
    const auto& value = reading.value;
    if (value.is_text()) {
        return value.text();
    }
    const auto name = value.is_integer() ? point.names.find(value.as_int64()) : point.names.end();
    if (name != point.names.end()) {
        return name->second;
    }
    const auto row = reading.alias.row;
    const auto decimal = apply(value, device.factors->scale[row], device.factors->offset[row]);
    return decimal ? decimal->text : "no number";
}

std::string seen(const Reading& reading, const Point& point, const DeviceConfig& device)
{
    std::string quality(to_string(reading.quality));
    if (reading.value.is_none() || reading.quality == Quality::missing) {
        return quality;
    }
    const auto value = value_seen(reading, point, device);
    return reading.quality == Quality::good ? value : value + ' ' + quality;
}

std::string difference(const Place& place, const std::string& id, const std::string& expected,
                       const std::string& got)
{
    return place.file + ":" + std::to_string(place.line) + ": " + id + ": expected " + expected +
           ", got " + got;
}

}  // namespace

std::vector<std::string> differences_from(const Example& example, const Profile& profile,
                                          Samples samples)
{
    DeviceConfig device;
    device.profile = std::shared_ptr<const Profile>(&profile, [](const Profile*) {});  // lent
    Factors factors;
    for (const auto& point : profile.points) {
        factors.scale.push_back(with_default(point.scale, profile));
        factors.offset.push_back(with_default(point.offset, profile));
    }
    device.factors = std::make_shared<const Factors>(std::move(factors));
    std::vector<std::uint16_t> rows(profile.points.size());
    std::iota(rows.begin(), rows.end(), std::uint16_t{0});
    Normaliser normaliser(0, std::make_shared<const DeviceRules>(device, ""));
    normaliser.judge(samples, rows, BootTime(), Cause::none);
    std::vector<std::string> differences;
    for (const auto& [id, expected] : example.expect) {
        const auto row = row_of(profile, id);
        const auto got = row && normaliser.has_judged(*row)
                             ? seen(normaliser.latest()[*row], profile.points[*row], device)
                             : std::string("nothing");
        if (got != expected) {
            differences.push_back(difference(example.place, id, expected, got));
        }
    }
    return differences;
}

}  // namespace gateway
