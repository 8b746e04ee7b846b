#include "gateway/config/lint.hpp"

#include "gateway/config/driver_schema.hpp"

#include <algorithm>

namespace gateway {

namespace {

/// Collects what is wrong with one profile.
class Linter {
public:
    Linter(const Profile& profile, Mistakes& mistakes) : profile_(profile), mistakes_(mistakes) {}

    void points()
    {
        for (const auto& point : profile_.points) {
            const auto path = "point " + point.id;
            number_rules(point, path);
            times(point, path);
            const auto width =
                profile_.driver == "modbus" ? modbus_width(point.read) : std::int64_t{0};
            const auto most = get<std::int64_t>(profile_.transport, "max_words", 125);
            if (width > most) {
                mistakes_.add(point.place, path + ".read",
                              "needs " + std::to_string(width) +
                                  " registers; transport.max_words " + "allows " +
                                  std::to_string(most));
            }
        }
    }

    void alarms()
    {
        for (const auto& alarm : profile_.alarms) {
            const auto* point = find_point(alarm.point);
            const auto path = "alarm " + alarm.id;
            for (const auto* condition : {&alarm.when, &alarm.clear}) {
                inside(point, condition->above, alarm.place, path);
                inside(point, condition->below, alarm.place, path);
            }
            const auto& [when, clear] = std::pair(alarm.when, alarm.clear);
            if ((when.above && clear.below && less(*when.above, *clear.below)) ||
                (when.below && clear.above && less(*clear.above, *when.below))) {
                mistakes_.add(alarm.place, path,
                              "when and clear can hold together; leave a gap between them");
            }
        }
    }

    void checks()
    {
        for (const auto& check : profile_.checks) {
            const auto* first = find_point(check.points.front());
            for (const auto& id : check.points) {
                if (find_point(id)->unit != first->unit) {
                    mistakes_.add(check.place, "check " + check.id,
                                  id + " and " + check.points.front() +
                                      " have different units and cannot agree");
                }
            }
        }
    }

    void acceptance()
    {
        for (const auto& test : profile_.acceptance) {
            const auto* range = find(test.settings, "range");
            if (range == nullptr) {
                continue;
            }
            const auto* point = find_point(get<std::string>(test.settings, "point", {}));
            for (const auto& end : std::get<SettingList>(range->value)) {
                inside(point, std::get<Fraction>(end.value), test.place, "acceptance " + test.id);
            }
        }
    }

    void final_profile()
    {
        const Place top{profile_.file};
        if (profile_.examples.empty()) {
            mistakes_.add(top, "example", "a final profile shows one [[example]] or more");
        }
        if (profile_.sources.empty()) {
            mistakes_.add(top, "profile.sources", "a final profile says where its map is from");
        }
        const auto* driver = driver_schema(profile_.driver);
        if (!driver->identify.empty() &&
            std::ranges::none_of(profile_.identify, &Identify::required)) {
            mistakes_.add(top, "identify",
                          "nothing tells this device from another; write required = true in one");
        }
    }

private:
    const Point* find_point(const std::string& reference) const
    {
        const auto id = reference.substr(0, reference.find('['));
        const auto point = std::ranges::find(profile_.points, id, &Point::id);
        return point == profile_.points.end() ? nullptr : &*point;
    }

    void number_rules(const Point& point, const std::string& path)
    {
        const bool number = point.kind != "text" && point.names.empty();
        const bool ruled =
            point.valid_low || point.report.deadband || point.rate_per_second || point.counter;
        if (!number && ruled) {
            mistakes_.add(point.place, path,
                          "is a name or a text; valid, deadband, rate and counter need a number");
        }
    }

    void times(const Point& point, const std::string& path)
    {
        const auto& report = point.report;
        const auto short_of = [&point](const std::optional<Duration>& time) {
            return time && *time < point.poll;
        };
        if (short_of(report.every) || short_of(report.max) || short_of(point.stuck)) {
            mistakes_.add(point.place, path,
                          "report.every, report.max and stuck are at least as long as poll");
        }
    }

    void inside(const Point* point, const std::optional<Fraction>& threshold, const Place& place,
                const std::string& path)
    {
        if (point != nullptr && threshold && point->valid_low &&
            (less(*threshold, *point->valid_low) || less(*point->valid_high, *threshold))) {
            mistakes_.add(place, path,
                          threshold->text() + " is outside the valid range of " + point->id +
                              " and is never reached by a good reading");
        }
    }

    const Profile& profile_;
    Mistakes& mistakes_;
};

}  // namespace

void lint(const Profile& profile, Mistakes& mistakes)
{
    Linter linter(profile, mistakes);
    linter.points();
    linter.alarms();
    linter.checks();
    linter.acceptance();
    if (profile.final) {
        linter.final_profile();
    }
}

}  // namespace gateway
