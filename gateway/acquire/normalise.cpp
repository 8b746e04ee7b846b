#include "gateway/acquire/normalise.hpp"

#include <utility>

namespace gateway {

namespace {

bool has_value(const Reading& reading)
{
    return !reading.value.is_none();
}

}  // namespace

Normaliser::Normaliser(std::uint16_t device_index, std::shared_ptr<const DeviceRules> rules)
    : rules_(std::move(rules)), rows_(rules_->rows.size()), histories_(rules_->histories)
{
    const auto row_count = static_cast<std::uint16_t>(rows_.size());
    latest_.reserve(row_count);
    judged_.reserve(row_count);
    for (std::uint16_t row = 0; row < row_count; ++row) {
        latest_.push_back({.alias = {.device = device_index, .row = row}, .time = never});
    }
}

void Normaliser::forget()
{
    histories_.assign(histories_.size(), {});
}

PointHistory* Normaliser::history_of(std::uint16_t row)
{
    const auto history = rules_->rows[row].history;
    return history ? &histories_[*history] : nullptr;
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
    for (const auto& agreement : rules_->agreements) {
        compare(agreement);
    }
    for (const auto& status : rules_->statuses) {
        follow(status);
    }
    for (const auto& age : rules_->ages) {
        follow(age, time, wall_offset);
    }
    if (rules_->stale > Duration::zero() && wall_offset) {
        for (const auto row : judged_) {
            judge_age(latest_[row], rules_->stale, time.time_since_epoch() + *wall_offset);
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
        const auto judgement = rules_->rows[sample.row].rule.judge(reading.value, time, nullptr);
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
    const auto& row = rules_->rows[index];
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
        judgement = row.rule.judge(reading.value, time, history_of(index));
    } else if (row.rule.is_missing(reading.value)) {
        judgement = {.quality = Quality::missing, .cause = Cause::sentinel};
    } else if (const auto step = bring(index)) {
        judgement = row.rule.judge_value(reading.value, time, history_of(index), *step);
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
    const auto& told = *rules_->rows[index].told;
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
