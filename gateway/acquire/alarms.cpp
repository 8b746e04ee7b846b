#include "gateway/acquire/alarms.hpp"

#include "gateway/acquire/device_rules.hpp"

#include <algorithm>

namespace gateway {

namespace {

bool contains(const std::vector<Value>& values, const Value& value)
{
    return std::find(values.begin(), values.end(), value) != values.end();
}

bool is_written(const AlarmCondition& condition)
{
    return condition.above || condition.below || !condition.in.empty() || !condition.not_in.empty();
}

}  // namespace

Alarms::Condition::Condition(const AlarmCondition& written, const Point& point,
                             const Fraction& scale, const Fraction& offset)
    : hold(written.hold)
{
    if (written.above) {
        above.emplace(std::nullopt, written.above, scale, offset);
    }
    if (written.below) {
        below.emplace(written.below, std::nullopt, scale, offset);
    }
    if (!written.in.empty()) {
        in = values_of(point, written.in);
    }
    if (!written.not_in.empty()) {
        not_in = values_of(point, written.not_in);
    }
}

bool Alarms::Condition::holds(const Value& value) const
{
    return (!above || above->side_of(value) == Side::above) &&
           (!below || below->side_of(value) == Side::below) && (!in || contains(*in, value)) &&
           (!not_in || !contains(*not_in, value));
}

Alarms::Alarms(const DeviceConfig& device)
{
    const auto& profile = *device.profile;
    for (std::size_t i = 0; i < profile.alarms.size(); ++i) {
        const auto& alarm = profile.alarms[i];
        const auto row = row_of(profile, alarm.point);
        if (!row) {
            continue;  // the profile's check refuses such an alarm
        }
        const auto condition = [&](const AlarmCondition& written) {
            return Condition(written, profile.points[*row], device.factors->scale[*row],
                             device.factors->offset[*row]);
        };
        const auto index = static_cast<std::uint16_t>(Alias::first_alarm + i);
        rules_.push_back({.row = *row,
                          .alias = {.device = device.index, .row = index},
                          .when = condition(alarm.when),
                          .clear = is_written(alarm.clear) ? std::optional(condition(alarm.clear))
                                                           : std::nullopt});
    }
}

void Alarms::follow(BootTime time, const std::vector<Reading>& latest,
                    std::vector<Reading>& transitions)
{
    for (auto& rule : rules_) {
        const auto& reading = latest[rule.row];
        const bool says = reading.time == time && !reading.value.is_none() &&
                          reading.quality != Quality::missing && reading.quality != Quality::bad;
        if (!says || !turns(rule, reading)) {
            continue;
        }
        rule.raised = !rule.raised;
        rule.since.reset();
        transitions.push_back({.alias = rule.alias,
                               .time = reading.time,
                               .value = Value::integer(rule.raised ? 1 : 0),
                               .quality = reading.quality,
                               .cause = reading.cause});
    }
}

bool Alarms::turns(Rule& rule, const Reading& reading)
{
    const bool clearing = rule.raised && rule.clear.has_value();
    const auto& condition = clearing ? *rule.clear : rule.when;
    const bool wanted = clearing || !rule.raised;
    if (condition.holds(reading.value) != wanted) {
        rule.since.reset();
        return false;
    }
    if (!rule.since) {
        rule.since = reading.time;
    }
    const auto hold = wanted ? condition.hold : Duration::zero();
    return reading.time - *rule.since >= hold;
}

}  // namespace gateway
