// What the values of one device say of each other, and what holds for all of them.
#include "gateway/acquire/normalise.hpp"

#include <algorithm>

namespace gateway {

namespace {

using std::chrono::milliseconds;

bool holds_value(const Reading& reading)
{
    return !reading.value.is_none();
}

/// How much of a value is left; a rule can only take away.
unsigned doubt(Quality quality)
{
    switch (quality) {
        case Quality::good:
            return 0;
        case Quality::suspect:
            return 1;
        case Quality::stale:
            return 2;
        case Quality::bad:
            return 3;
        case Quality::missing:
        case Quality::comm_error:
        case Quality::config_error:
            break;
    }
    return 4;
}

void doubt_it(Reading& reading, Quality quality, Cause cause)
{
    if (doubt(quality) > doubt(reading.quality)) {
        reading.quality = quality;
        reading.cause = cause;
    }
}

Quality quality_of(const StatusRule& rule, const Value& value)
{
    auto result = rule.otherwise;
    for (const auto& code : rule.codes) {
        const bool inside = code.low.is_text() || value.is_text()
                                ? value == code.low
                                : value.approximate() >= code.low.approximate() &&
                                      value.approximate() <= code.high.approximate();
        if (inside) {
            result = code.quality;
            break;
        }
    }
    for (const auto& [bit, quality] : rule.bits) {
        const bool set = value.is_integer() && ((value.bits() >> bit) & 1U) != 0;
        result = set && doubt(quality) > doubt(result) ? quality : result;
    }
    return result;
}

std::optional<WallTime> device_time(const AgeRule& rule, const Value& value, milliseconds now)
{
    const auto number = value.approximate();
    if (!(std::abs(number) < 1e15)) {
        return std::nullopt;
    }
    const auto ms =
        static_cast<std::int64_t>(rule.is == AgeRule::Is::unix_ms ? number : number * 1000);
    if (rule.is != AgeRule::Is::seconds_ago) {
        return WallTime(milliseconds(ms));
    }
    return WallTime(now - milliseconds(ms));
}

}  // namespace

/// Points that were read together disagree when they are further apart than the absolute tolerance
/// and than the relative one, which is of their mean.
void Normaliser::compare(const DeviceRules::Agreement& agreement)
{
    double low = 0;
    double high = 0;
    bool first = true;
    for (const auto row : agreement.rows) {
        const auto& reading = latest_[row];
        if (!rows_[row].judged || !holds_value(reading) || reading.quality == Quality::bad) {
            return;
        }
        const auto number =
            reading.value.approximate() * rules_->rows[row].scale + rules_->rows[row].offset;
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

void Normaliser::follow(const DeviceRules::Status& status)
{
    const auto& on = latest_[status.on];
    const bool known = holds_value(on) && on.quality != Quality::missing;
    const auto quality = known ? quality_of(status.rule, on.value) : Quality::suspect;
    if (quality == Quality::good) {
        return;
    }
    for (const auto row : status.rows) {
        if (rows_[row].judged) {
            doubt_it(latest_[row], quality, known ? status.cause : Cause::dependency);
        }
    }
}

void Normaliser::follow(const DeviceRules::Age& age, BootTime time,
                        std::optional<milliseconds> wall_offset)
{
    const auto& on = latest_[age.on];
    const auto now = time.time_since_epoch() + wall_offset.value_or(milliseconds(0));
    const auto taken = holds_value(on) ? device_time(age.rule, on.value, now) : std::nullopt;
    const bool judges = wall_offset || age.rule.is == AgeRule::Is::seconds_ago;
    for (const auto row : age.rows) {
        if (!rows_[row].judged || row == age.on) {
            continue;
        }
        auto& reading = latest_[row];
        reading.device_time = taken;
        if (!taken) {
            doubt_it(reading, Quality::suspect, Cause::dependency);
        } else if (judges) {
            judge_age(reading, age.rule.stale, now);
        }
        if (!wall_offset) {
            reading.device_time.reset();
        }
    }
}

void Normaliser::judge_age(Reading& reading, Duration stale, milliseconds wall)
{
    if (!reading.device_time) {
        return;
    }
    const auto age = wall - reading.device_time->time_since_epoch();
    if (age > stale) {
        doubt_it(reading, Quality::stale, Cause::late);
    } else if (age < -stale) {
        doubt_it(reading, Quality::suspect, Cause::clock);
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
