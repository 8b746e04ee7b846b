#pragma once

#include "gateway/acquire/limits.hpp"
#include "gateway/config/profile.hpp"

#include <cmath>
#include <memory>
#include <span>

namespace gateway {

/// What the rules of a point say about one value.
struct Judgement {
    Quality quality = Quality::good;
    Cause cause = Cause::none;
    bool counter_reset = false;
};

/// What the rules of a point remember of its values.
struct PointHistory {
    Value value;            ///< the last one that was a value
    BootTime time;          ///< of it
    BootTime since;         ///< it has been the same from here on
    double trusted = 0;     ///< the last number that its rate did not make suspect
    BootTime trusted_time;  ///< of it
    bool any = false;
};

/// The quality rules of one point, prepared once. Pure: it changes nothing but the history it is
/// given; without one a value is judged by itself. Nothing is clipped or dropped; the judgement
/// says what is wrong.
class PointRule {
public:
    /// `also_missing`: sentinels that a quirk adds.
    PointRule(const Point& point, const Fraction& scale, const Fraction& offset,
              std::span<const Value> also_missing = {});

    Judgement judge(const Value& raw, BootTime time, PointHistory* history) const
    {
        return !special_         ? judge_number(raw)
               : is_missing(raw) ? Judgement{Quality::missing, Cause::sentinel}
                                 : judge_value(raw, time, history);
    }

    /// Whether earlier values count: a rule for which they do not needs no history.
    bool remembers() const;
    /// Whether the device says with this value that it has none.
    bool is_missing(const Value& raw) const;
    /// A value that is not missing; `step`: what one step of the device's counter is in it.
    Judgement judge_value(const Value& value, BootTime time, PointHistory* history,
                          double step = 1) const;

private:
    struct Special;
    struct Delete {
        void operator()(Special* special) const;
    };

    Judgement judge_number(const Value& raw) const
    {
        const bool nan = (raw.kind() == Kind::float32 && !std::isfinite(raw.as_float32())) ||
                         (raw.kind() == Kind::float64 && !std::isfinite(raw.as_float64()));
        if (nan) {
            return {.quality = Quality::bad, .cause = Cause::not_a_number};
        }
        if (valid_.side_of(raw) != Side::inside) {
            return {.quality = Quality::suspect, .cause = Cause::out_of_range};
        }
        return {};
    }

    Limits valid_;
    std::unique_ptr<Special, Delete> special_;  // rules that few points have
};

}  // namespace gateway
