#pragma once

#include "gateway/acquire/point_rule.hpp"
#include "gateway/acquire/report.hpp"
#include "gateway/acquire/told_number.hpp"
#include "gateway/config/binding.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gateway {

/// What a profile says of the values of a device, prepared once for those that have the same
/// profile, factors and firmware. Never changes.
struct DeviceRules {
    /// A row whose value cannot be understood without others.
    struct Told {
        ToldNumber number;
        std::optional<std::uint16_t> unit, factor;
    };
    struct Row {
        PointRule rule;
        ReportRule report;
        double scale = 1, offset = 0;
        std::optional<Told> told;
        std::optional<std::uint16_t> fallback;
        std::optional<std::uint16_t> history;  ///< its number, of a rule that remembers
    };
    /// What a value says of the quality of other rows.
    struct Status {
        std::uint16_t on = 0;
        std::vector<std::uint16_t> rows;
        StatusRule rule;
        Cause cause = Cause::device_status;
    };
    struct Age {
        std::uint16_t on = 0;
        std::vector<std::uint16_t> rows;
        AgeRule rule;
    };
    struct Agreement {
        std::vector<std::uint16_t> rows;
        double absolute = 0, relative = 0;
        Quality on_fail = Quality::suspect;
    };

    /// `firmware`: as the device said, for the profile's quirks; empty when it is not known.
    DeviceRules(const DeviceConfig& device, std::string_view firmware);

    std::shared_ptr<const Factors> factors;  ///< kept: a rule book knows them by their address
    std::vector<Row> rows;                   ///< of the points
    std::uint16_t histories = 0;             ///< rows that have one
    std::vector<Agreement> agreements;
    std::vector<Status> statuses;
    std::vector<Age> ages;
    Duration stale{};  ///< a value with a time of the device's own; zero: never
};

/// Shares the rules among devices. Used on the loop.
class RuleBook {
public:
    std::shared_ptr<const DeviceRules> rules_of(const DeviceConfig& device,
                                                std::string_view firmware);

private:
    std::map<std::pair<const Factors*, std::string>, std::weak_ptr<const DeviceRules>> known_;
};

/// The values that stand for the names: raw members of the enum, or, for a point without one, the
/// texts themselves and the whole numbers they write.
std::vector<Value> values_of(const Point& point, const std::vector<std::string>& names);

/// The row of a point, or nothing.
std::optional<std::uint16_t> row_of(const Profile& profile, std::string_view point_id);

}  // namespace gateway
