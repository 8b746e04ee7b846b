#pragma once

#include "gateway/acquire/limits.hpp"
#include "gateway/config/binding.hpp"

#include <optional>
#include <vector>

namespace gateway {

/// The `[[alarm]]` rules of one device. A condition must hold in every reading for its hold time;
/// readings without a value change nothing. A rule without a clear condition clears when its
/// condition no longer holds.
class Alarms {
public:
    explicit Alarms(const DeviceConfig& device);

    /// Follows the readings that were taken at `time`, by row in `latest`, and appends one reading
    /// per transition to `transitions`: 1 raised, 0 cleared, with the time and quality of the
    /// reading that made it.
    void follow(BootTime time, const std::vector<Reading>& latest,
                std::vector<Reading>& transitions);

private:
    struct Condition {
        Condition(const AlarmCondition& written, const Point& point, const Fraction& scale,
                  const Fraction& offset);
        bool holds(const Value& value) const;

        std::optional<Limits> above, below;
        std::optional<std::vector<Value>> in, not_in;
        Duration hold;
    };
    struct Rule {
        std::uint16_t row = 0;
        Alias alias;
        Condition when;
        std::optional<Condition> clear;
        bool raised = false;
        std::optional<BootTime> since;  // the condition for the next transition has held
    };

    static bool turns(Rule& rule, const Reading& reading);

    std::vector<Rule> rules_;  // in the order of the rows
};

}  // namespace gateway
