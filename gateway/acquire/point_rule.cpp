#include "gateway/acquire/point_rule.hpp"

#include "gateway/acquire/told_number.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

namespace gateway {

namespace {

bool is_nan(const Value& raw)
{
    return (raw.kind() == Kind::float32 && std::isnan(raw.as_float32())) ||
           (raw.kind() == Kind::float64 && std::isnan(raw.as_float64()));
}

double seconds_between(BootTime earlier, BootTime later)
{
    return std::chrono::duration<double>(later - earlier).count();
}

}  // namespace

struct PointRule::Special {
    std::vector<Value> missing;
    bool missing_nan = false;
    std::map<std::int64_t, bool> members;  // of the enum; true: bad
    std::optional<Counter> counter;
    std::optional<double> raw_rate;  // per second
    std::optional<Duration> stuck;

    bool is_missing(const Value& raw) const
    {
        const auto same = [&raw](const Value& sentinel) { return is_same_number(raw, sentinel); };
        return (missing_nan && is_nan(raw)) || std::any_of(missing.begin(), missing.end(), same);
    }

    Judgement judge_member(const Value& raw) const
    {
        const auto member = raw.is_integer() && raw.kind() != Kind::uint64
                                ? members.find(raw.as_int64())
                                : members.end();
        if (member == members.end()) {
            return {.quality = Quality::suspect, .cause = Cause::bad_enum};
        }
        return member->second ? Judgement{.quality = Quality::bad, .cause = Cause::bad_enum}
                              : Judgement{};
    }

    /// How far the counter moved, or nothing when it was set back.
    std::optional<double> advance(const Value& raw, double before, double step) const
    {
        const auto moved = raw.approximate() - before;
        if (moved >= 0) {
            return moved;
        }
        if (!counter->wrap) {
            return std::nullopt;
        }
        // A wrap is a short way over the top; anything longer is a reset.
        const auto wrap = (static_cast<double>(*counter->wrap) + 1) * step;
        const auto over = moved + wrap;
        return over >= 0 && over < wrap / 2 ? std::optional(over) : std::nullopt;
    }
};

void PointRule::Delete::operator()(Special* special) const
{
    delete special;
}

PointRule::PointRule(const Point& point, const Fraction& scale, const Fraction& offset,
                     std::span<const Value> also_missing)
    : valid_(point.valid_low, point.valid_high, scale, offset)
{
    const bool plain = point.missing.empty() && also_missing.empty() && !point.missing_nan &&
                       point.names.empty() && !point.counter && !point.rate_per_second &&
                       !point.stuck;
    if (plain) {
        return;
    }
    special_.reset(new Special{.missing = point.missing, .missing_nan = point.missing_nan});
    special_->missing.insert(special_->missing.end(), also_missing.begin(), also_missing.end());
    for (const auto& [number, name] : point.names) {
        const auto& bad = point.bad_names;
        special_->members[number] = std::find(bad.begin(), bad.end(), name) != bad.end();
    }
    special_->counter = point.counter;
    special_->stuck = point.stuck;
    if (point.rate_per_second && scale.numerator() != 0) {
        special_->raw_rate = point.rate_per_second->approximate() / std::abs(scale.approximate());
    }
}

bool PointRule::remembers() const
{
    return special_ && (special_->counter || special_->raw_rate || special_->stuck);
}

bool PointRule::is_missing(const Value& raw) const
{
    return special_ && special_->is_missing(raw);
}

Judgement PointRule::judge_value(const Value& raw, BootTime time, PointHistory* known,
                                 double step) const
{
    auto judgement = judge_number(raw);
    if (!special_ || judgement.quality == Quality::bad) {
        return judgement;
    }
    const auto& rules = *special_;
    if (!rules.members.empty() && judgement.quality == Quality::good) {
        judgement = rules.judge_member(raw);
    }
    if (known == nullptr) {
        return judgement;
    }
    auto& history = *known;
    const bool numeric = !raw.is_text();
    auto moved = raw.approximate() - history.trusted;
    if (history.any && numeric && rules.counter) {
        const auto advance = rules.advance(raw, history.value.approximate(), step);
        judgement.counter_reset = !advance && rules.counter->report_reset;
        moved = advance.value_or(0);
    }
    const auto elapsed = seconds_between(history.trusted_time, time);
    const bool jumped = history.any && numeric && rules.raw_rate &&
                        std::abs(moved) > *rules.raw_rate * std::max(elapsed, 0.001);
    if (jumped && judgement.quality == Quality::good) {
        judgement.quality = Quality::suspect;
        judgement.cause = Cause::rate;
    }
    if (!jumped && numeric) {
        history.trusted = raw.approximate();
        history.trusted_time = time;
    }
    if (!history.any || history.value != raw) {
        history.since = time;
        history.value = raw;
    }
    if (rules.stuck && time - history.since > *rules.stuck && judgement.quality == Quality::good) {
        judgement.quality = Quality::suspect;
        judgement.cause = Cause::stuck;
    }
    history.time = time;
    history.any = true;
    return judgement;
}

}  // namespace gateway
