#include "gateway/acquire/normalise.hpp"

#include "gateway/acquire/identify.hpp"
#include "gateway/config/literal.hpp"

#include <algorithm>
#include <charconv>
#include <tuple>
#include <utility>

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
        if ((quirk.point == point.id || (point.row && quirk.point == point.row->of)) &&
            applies(quirk, profile, firmware)) {
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

Normaliser::Row Normaliser::make_row(const DeviceConfig& device, std::size_t row,
                                     std::string_view firmware) const
{
    const auto& profile = *device.profile;
    const auto& point = profile.points[row];
    const auto& scale = device.scale[row];
    const auto& offset = device.offset[row];
    const auto sentinels = quirk_sentinels(profile, point, firmware);
    Row made{.rule = {point, scale, offset, sentinels},
             .history = nullptr,
             .scale = scale.approximate(),
             .offset = offset.approximate(),
             .told = nullptr,
             .fallback = point.fallback.empty() ? std::nullopt : row_of(profile, point.fallback)};
    if (made.rule.remembers()) {
        made.history = std::make_unique<PointHistory>();
    }
    if (point.unit_from || point.scale_from) {
        const auto& [unit, factor] = std::tie(point.unit_from, point.scale_from);
        made.told = std::make_unique<const Told>(
            Told{.number = {point, scale, offset},
                 .unit = unit ? row_of(profile, unit->point) : std::nullopt,
                 .factor = factor ? row_of(profile, factor->point) : std::nullopt});
    }
    return made;
}

Normaliser::Normaliser(const DeviceConfig& device, std::string_view firmware)
{
    const auto& profile = *device.profile;
    rows_.reserve(profile.points.size());
    latest_.reserve(profile.points.size());
    for (std::size_t row = 0; row < profile.points.size(); ++row) {
        rows_.push_back(make_row(device, row, firmware));
        const auto index = static_cast<std::uint16_t>(row);
        latest_.push_back({.alias = {.device = device.index, .row = index}, .time = never});
    }
    judged_.reserve(rows_.size());
    const auto age = get(profile.transport, "age", SettingTable{});
    stale_ = duration_of(age, "stale", {});
    add_rules(profile);
}

void Normaliser::forget()
{
    for (auto& row : rows_) {
        if (row.history) {
            *row.history = {};
        }
    }
}

std::span<const std::uint16_t> Normaliser::judge(
    Samples& samples, PointSet due, BootTime time, Cause whole,
    std::optional<std::chrono::milliseconds> wall_offset)
{
    for (const auto row : judged_) {
        rows_[row].judged = false;
    }
    judged_.clear();
    resets_.clear();
    for (const auto row : due) {
        rows_[row].awaited = true;
    }
    std::size_t later = 0;
    for (auto& sample : samples) {
        const bool ours = sample.row < rows_.size();
        if (ours && rows_[sample.row].awaited) {
            take(sample, time);
        } else if (ours && rows_[sample.row].judged && sample.device_time) {
            std::swap(samples[later++], sample);
        }
    }
    samples.resize(later);
    for (const auto row : due) {
        rows_[row].awaited = false;
    }
    for (const auto row : judged_) {
        judge_row(row, time);
    }
    for (const auto& agreement : agreements_) {
        compare(agreement);
    }
    for (const auto& status : statuses_) {
        follow(status);
    }
    for (const auto& age : ages_) {
        follow(age, time, wall_offset);
    }
    if (stale_ > Duration::zero() && wall_offset) {
        for (const auto row : judged_) {
            judge_age(latest_[row], stale_, time.time_since_epoch() + *wall_offset);
        }
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
        const auto judgement = rows_[sample.row].rule.judge(reading.value, time, nullptr);
        reading.quality = judgement.quality;
        reading.cause = judgement.cause;
    }
    if (whole != Cause::none && reading.quality == Quality::good) {
        reading.quality = Quality::suspect;
        reading.cause = whole;
    }
    return reading;
}

void Normaliser::take(Sample& sample, BootTime time)
{
    auto& row = rows_[sample.row];
    auto& reading = latest_[sample.row];
    row.awaited = false;
    row.judged = true;
    judged_.push_back(sample.row);
    reading.time = time;
    reading.device_time = sample.device_time;
    reading.value = std::move(sample.raw);
    reading.quality = sample.quality;
    reading.cause = sample.cause;
}

void Normaliser::judge_row(std::uint16_t index, BootTime time)
{
    auto& row = rows_[index];
    auto& reading = latest_[index];
    if (row.fallback) {
        const auto& other = latest_[*row.fallback];
        const bool absent = reading.quality != Quality::good || !has_value(reading) ||
                            row.rule.is_missing(reading.value);
        if (absent && other.quality == Quality::good && has_value(other)) {
            reading.value = other.value;
            reading.quality = Quality::good;
            reading.cause = Cause::none;
        }
    }
    if (reading.quality != Quality::good) {
        return;
    }
    if (!has_value(reading)) {
        reading.quality = Quality::missing;
        reading.cause = Cause::unexpected_reply;
        return;
    }
    auto judgement = Judgement{};
    if (!row.told) {
        judgement = row.rule.judge(reading.value, time, row.history.get());
    } else if (row.rule.is_missing(reading.value)) {
        judgement = {.quality = Quality::missing, .cause = Cause::sentinel};
    } else if (const auto step = bring(index)) {
        judgement = row.rule.judge_value(reading.value, time, row.history.get(), *step);
    } else {
        return;
    }
    reading.quality = judgement.quality;
    reading.cause = judgement.cause;
    if (judgement.counter_reset) {
        resets_.push_back(index);
    }
}

/// A number whose unit or factor is not known is not the point's number: it is not kept as if it
/// were.
std::optional<double> Normaliser::bring(std::uint16_t index)
{
    const auto& told = *rows_[index].told;
    auto& reading = latest_[index];
    const auto said = [this](const std::optional<std::uint16_t>& row) {
        return row && has_value(latest_[*row]) ? &latest_[*row].value : nullptr;
    };
    const auto* unit = said(told.unit);
    const auto* factor = said(told.factor);
    if (auto value = told.number.bring(reading.value, unit, factor)) {
        reading.value = std::move(*value);
        return told.number.step(unit, factor);
    }
    reading.value = Value();
    reading.quality = Quality::bad;
    reading.cause = Cause::dependency;
    for (const auto& row : {told.unit, told.factor}) {
        if (row && latest_[*row].quality == Quality::comm_error) {
            reading.quality = Quality::comm_error;
            reading.cause = latest_[*row].cause;
        }
    }
    return std::nullopt;
}

}  // namespace gateway
