#include "gateway/acquire/device_rules.hpp"

#include "gateway/acquire/identify.hpp"
#include "gateway/config/literal.hpp"

#include <algorithm>
#include <charconv>

namespace gateway {

namespace {

bool applies(const Quirk& quirk, const Profile& profile, std::string_view firmware)
{
    return (quirk.vendor.empty() || quirk.vendor == profile.vendor) &&
           (quirk.firmware.empty() || quirk.firmware == "*" ||
            (!firmware.empty() && firmware_fits(firmware, quirk.firmware)));
}

std::vector<Value> quirk_sentinels(const Profile& profile, const Point& point,
                                   std::string_view firmware)
{
    std::vector<Value> missing;
    for (const auto& quirk : profile.quirks) {
        if ((quirk.point == point.id || (point.row && quirk.point == point.row->of)) &&
            applies(quirk, profile, firmware)) {
            missing.insert(missing.end(), quirk.missing.begin(), quirk.missing.end());
        }
    }
    return missing;
}

/// `good_if` in the words of a status rule.
StatusRule rule_of(const GoodIf& good_if, const Point& on)
{
    StatusRule rule{.point = on.id, .points = {}, .codes = {}, .bits = {}};
    for (auto& value : values_of(on, good_if.in)) {
        rule.codes.push_back({value, value, Quality::good});
    }
    rule.otherwise = Quality::suspect;
    return rule;
}

std::vector<std::uint16_t> rows_of(const Profile& profile, const std::vector<std::string>& ids)
{
    std::vector<std::uint16_t> rows;
    for (const auto& id : ids) {
        if (const auto row = row_of(profile, id)) {
            rows.push_back(*row);
        }
    }
    for (std::uint16_t row = 0; ids.empty() && row < profile.points.size(); ++row) {
        if (!profile.points[row].hidden) {
            rows.push_back(row);
        }
    }
    return rows;
}

std::optional<DeviceRules::Told> told_of(const Profile& profile, const Point& point,
                                         const Fraction& scale, const Fraction& offset)
{
    const auto& unit = point.unit_from;
    const auto& factor = point.scale_from;
    if (!unit && !factor) {
        return std::nullopt;
    }
    return DeviceRules::Told{.number = {point, scale, offset},
                             .unit = unit ? row_of(profile, unit->point) : std::nullopt,
                             .factor = factor ? row_of(profile, factor->point) : std::nullopt};
}

DeviceRules::Row make_row(const DeviceConfig& device, std::size_t row, std::string_view firmware)
{
    const auto& profile = *device.profile;
    const auto& point = profile.points[row];
    const auto& scale = device.factors->scale[row];
    const auto& offset = device.factors->offset[row];
    const auto sentinels = quirk_sentinels(profile, point, firmware);
    return {.rule = {point, scale, offset, sentinels},
            .report = {point.report, scale, point.poll},
            .scale = scale.approximate(),
            .offset = offset.approximate(),
            .told = told_of(profile, point, scale, offset),
            .fallback = point.fallback.empty() ? std::nullopt : row_of(profile, point.fallback),
            .history = std::nullopt};
}

}  // namespace

std::vector<Value> values_of(const Point& point, const std::vector<std::string>& names)
{
    std::vector<Value> values;
    for (const auto& name : names) {
        for (const auto& [number, member] : point.names) {
            if (member == name) {
                values.push_back(Value::integer(number));
            }
        }
        if (point.names.empty()) {
            values.push_back(Value::of_text(name));
            std::int64_t number = 0;
            const auto* const end = name.data() + name.size();
            const auto parsed = std::from_chars(name.data(), end, number);
            if (parsed.ec == std::errc() && parsed.ptr == end) {
                values.push_back(Value::integer(number));
            }
        }
    }
    return values;
}

std::optional<std::uint16_t> row_of(const Profile& profile, std::string_view point_id)
{
    const auto& points = profile.points;
    const auto named = [point_id](const Point& point) { return point.id == point_id; };
    const auto at = std::find_if(points.begin(), points.end(), named);
    return at == points.end() ? std::nullopt
                              : std::optional(static_cast<std::uint16_t>(at - points.begin()));
}

DeviceRules::DeviceRules(const DeviceConfig& device, std::string_view firmware)
    : factors(device.factors)
{
    const auto& profile = *device.profile;
    const auto row_count = static_cast<std::uint16_t>(profile.points.size());
    rows.reserve(row_count);
    for (std::uint16_t row = 0; row < row_count; ++row) {
        rows.push_back(make_row(device, row, firmware));
        if (rows.back().rule.remembers()) {
            rows.back().history = histories++;
        }
    }
    const auto age = get(profile.transport, "age", SettingTable{});
    stale = duration_of(age, "stale", {});
    for (const auto& check : profile.checks) {
        agreements.push_back({.rows = rows_of(profile, check.points),
                              .absolute = check.absolute.approximate(),
                              .relative = check.relative.approximate(),
                              .on_fail = check.on_fail});
    }
    for (std::uint16_t row = 0; row < row_count; ++row) {
        const auto& good_if = profile.points[row].good_if;
        if (const auto on = good_if ? row_of(profile, good_if->point) : std::nullopt) {
            statuses.push_back({.on = *on,
                                .rows = {row},
                                .rule = rule_of(*good_if, profile.points[*on]),
                                .cause = Cause::dependency});
        }
    }
    for (const auto& rule : profile.status) {
        if (const auto on = row_of(profile, rule.point)) {
            auto others = rows_of(profile, rule.points);
            std::erase(others, *on);
            statuses.push_back({.on = *on, .rows = std::move(others), .rule = rule});
        }
    }
    for (const auto& rule : profile.ages) {
        if (const auto on = row_of(profile, rule.point)) {
            ages.push_back({.on = *on, .rows = rows_of(profile, rule.points), .rule = rule});
        }
    }
}

std::shared_ptr<const DeviceRules> RuleBook::rules_of(const DeviceConfig& device,
                                                      std::string_view firmware)
{
    const std::pair key(device.factors.get(), std::string(firmware));
    if (const auto known = known_.find(key); known != known_.end()) {
        if (auto rules = known->second.lock()) {
            return rules;
        }
    }
    std::erase_if(known_, [](const auto& known) { return known.second.expired(); });
    auto rules = std::make_shared<const DeviceRules>(device, firmware);
    known_[key] = rules;
    return rules;
}

}  // namespace gateway
