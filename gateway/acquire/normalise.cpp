#include "gateway/acquire/normalise.hpp"

#include "gateway/acquire/identify.hpp"

#include <algorithm>
#include <charconv>

namespace gateway {

namespace {

bool has_value(const Reading& reading)
{
    return !reading.value.is_none();
}

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
        if (quirk.point == point.id && applies(quirk, profile, firmware)) {
            missing.insert(missing.end(), quirk.missing.begin(), quirk.missing.end());
        }
    }
    return missing;
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

Normaliser::Normaliser(const DeviceConfig& device, std::string_view firmware)
{
    const auto& profile = *device.profile;
    for (std::size_t row = 0; row < profile.points.size(); ++row) {
        const auto& point = profile.points[row];
        const auto sentinels = quirk_sentinels(profile, point, firmware);
        rows_.push_back({.rule = {point, device.scale[row], device.offset[row], sentinels},
                         .scale = device.scale[row].approximate(),
                         .offset = device.offset[row].approximate()});
        const auto index = static_cast<std::uint16_t>(row);
        latest_.push_back({.alias = {.device = device.index, .row = index}, .time = never});
        const auto on = point.good_if ? row_of(profile, point.good_if->point) : std::nullopt;
        if (on) {
            dependencies_.push_back({.row = index,
                                     .on = *on,
                                     .good = values_of(profile.points[*on], point.good_if->in)});
        }
    }
    history_.resize(rows_.size());
    judged_.reserve(rows_.size());
    for (const auto& check : profile.checks) {
        auto& agreement = agreements_.emplace_back();
        agreement.absolute = check.absolute.approximate();
        agreement.relative = check.relative.approximate();
        agreement.on_fail = check.on_fail;
        for (const auto& id : check.points) {
            if (const auto row = row_of(profile, id)) {
                agreement.rows.push_back(*row);
            }
        }
    }
}

std::span<const std::uint16_t> Normaliser::judge(Samples& samples, PointSet due, BootTime time,
                                                 Cause whole)
{
    for (const auto row : judged_) {
        rows_[row].judged = false;
    }
    judged_.clear();
    resets_.clear();
    for (const auto row : due) {
        rows_[row].awaited = true;
    }
    for (auto& sample : samples) {
        if (sample.row < rows_.size() && rows_[sample.row].awaited) {
            judge_one(sample, time);
        }
    }
    for (const auto row : due) {
        rows_[row].awaited = false;
    }
    for (const auto& agreement : agreements_) {
        compare(agreement);
    }
    for (const auto& dependency : dependencies_) {
        follow(dependency);
    }
    if (whole != Cause::none) {
        mark_all(whole);
    }
    return judged_;
}

Reading Normaliser::judge_late(Sample& sample, BootTime time, Cause whole) const
{
    Reading reading{.alias = latest_[sample.row].alias,
                    .time = time,
                    .value = std::move(sample.raw),
                    .quality = sample.quality,
                    .cause = sample.cause,
                    .device_time = sample.device_time};
    if (sample.quality == Quality::good) {
        PointHistory none;
        const auto judgement = rows_[sample.row].rule.judge(reading.value, time, none);
        reading.quality = judgement.quality;
        reading.cause = judgement.cause;
    }
    if (whole != Cause::none && reading.quality == Quality::good) {
        reading.quality = Quality::suspect;
        reading.cause = whole;
    }
    return reading;
}

void Normaliser::judge_one(Sample& sample, BootTime time)
{
    auto& row = rows_[sample.row];
    auto& reading = latest_[sample.row];
    row.awaited = false;
    row.judged = true;
    judged_.push_back(sample.row);
    reading.time = time;
    reading.device_time = sample.device_time;
    reading.value = std::move(sample.raw);
    if (sample.quality != Quality::good) {
        reading.quality = sample.quality;
        reading.cause = sample.cause;
        return;
    }
    if (!has_value(reading)) {
        reading.quality = Quality::missing;
        reading.cause = Cause::unexpected_reply;
        return;
    }
    const auto judgement = row.rule.judge(reading.value, time, history_[sample.row]);
    reading.quality = judgement.quality;
    reading.cause = judgement.cause;
    if (judgement.counter_reset) {
        resets_.push_back(sample.row);
    }
}

/// Points that were read together disagree when they are further apart than the absolute tolerance
/// and than the relative one, which is of their mean.
void Normaliser::compare(const Agreement& agreement)
{
    double low = 0;
    double high = 0;
    bool first = true;
    for (const auto row : agreement.rows) {
        const auto& reading = latest_[row];
        if (!rows_[row].judged || !has_value(reading) || reading.quality == Quality::bad) {
            return;
        }
        const auto number = reading.value.approximate() * rows_[row].scale + rows_[row].offset;
        low = first ? number : std::min(low, number);
        high = first ? number : std::max(high, number);
        first = false;
    }
    const auto apart = high - low;
    if (apart <= agreement.absolute || apart <= agreement.relative * std::abs(high + low) / 2) {
        return;
    }
    for (const auto row : agreement.rows) {
        auto& reading = latest_[row];
        if (reading.quality == Quality::good) {
            reading.quality = agreement.on_fail;
            reading.cause = Cause::disagree;
        }
    }
}

void Normaliser::follow(const Dependency& dependency)
{
    auto& reading = latest_[dependency.row];
    if (!rows_[dependency.row].judged || reading.quality != Quality::good) {
        return;
    }
    const auto& on = latest_[dependency.on];
    const bool usable = on.quality == Quality::good || on.quality == Quality::suspect;
    const bool good = usable && std::find(dependency.good.begin(), dependency.good.end(),
                                          on.value) != dependency.good.end();
    if (!good) {
        reading.quality = Quality::suspect;
        reading.cause = Cause::dependency;
    }
}

void Normaliser::mark_all(Cause whole)
{
    for (const auto row : judged_) {
        auto& reading = latest_[row];
        if (reading.quality == Quality::good || whole == Cause::maintenance) {
            reading.cause = whole;
        }
        if (reading.quality == Quality::good) {
            reading.quality = Quality::suspect;
        }
    }
}

}  // namespace gateway
