#include "gateway/config/lint.hpp"

#include "gateway/config/driver_schema.hpp"
#include "gateway/config/literal.hpp"
#include "gateway/config/toml.hpp"

#include <algorithm>
#include <set>

namespace gateway {

namespace {

/// Where the keys of a profile stand, so that a mistake names its line.
class Places {
public:
    Places(std::string_view text, const std::string& file) : file_(file)
    {
        Mistakes ignored;  // the parser has told them
        document_ = parse_toml(text, file, ignored).value_or(SettingTable{});
    }

    /// Of a key of `[[section]]` with this id; of the section's head when it is not written.
    Place of(std::string_view section, const std::string& id, std::string_view key) const
    {
        for (const auto& entry : get(document_, section, SettingList{})) {
            const auto* table = std::get_if<SettingTable>(&entry.value);
            if (table != nullptr && get(*table, "id", std::string()) == id) {
                const auto* setting = find(*table, key);
                return setting == nullptr ? entry.place : setting->place;
            }
        }
        return {file_};
    }
    Place of(std::string_view section) const
    {
        const auto* setting = find(document_, section);
        return setting == nullptr ? Place{file_} : setting->place;
    }
    /// Of a key with this value in a section that has no ids.
    Place of_value(std::string_view section, std::string_view key, Duration value) const
    {
        for (const auto& entry : get(document_, section, SettingList{})) {
            const auto* table = std::get_if<SettingTable>(&entry.value);
            if (table != nullptr && duration_of(*table, key, {}) == value) {
                return find(*table, key)->place;
            }
        }
        return of(section);
    }

private:
    std::string file_;
    SettingTable document_;
};

std::string base_of(const std::string& id)
{
    return id.substr(0, id.find('['));
}

/// Collects what is wrong with one profile.
class Linter {
public:
    Linter(const Profile& profile, std::string_view text, Mistakes& mistakes)
        : profile_(profile), places_(text, profile.file), mistakes_(mistakes)
    {
    }

    void points()
    {
        std::set<std::string> seen;
        for (const auto& point : profile_.points) {
            const auto id = point.row ? point.row->of : point.id;
            if (point.hidden || !seen.insert(id).second) {
                continue;  // rows are alike
            }
            number_rules(point, id);
            told(point, id);
            times(point, id);
            const auto width =
                profile_.driver == "modbus" ? modbus_width(point.read) : std::int64_t{0};
            const auto most = get<std::int64_t>(profile_.transport, "max_words", 125);
            if (width > most) {
                add("point", id, "read",
                    "needs " + std::to_string(width) + " registers; transport.max_words allows " +
                        std::to_string(most) + ": write a smaller count or a larger max_words");
            }
        }
    }

    void alarms()
    {
        std::set<std::string> seen;
        for (const auto& alarm : profile_.alarms) {
            const auto* point = find_point(alarm.point);
            const auto id = base_of(alarm.id);
            if (!seen.insert(id).second) {
                continue;
            }
            for (const auto* condition : {&alarm.when, &alarm.clear}) {
                const auto* key = condition == &alarm.when ? "when" : "clear";
                inside(point, condition->above, "alarm", id, key);
                inside(point, condition->below, "alarm", id, key);
            }
            const auto& [when, clear] = std::pair(alarm.when, alarm.clear);
            if ((when.above && clear.below && less(*when.above, *clear.below)) ||
                (when.below && clear.above && less(*clear.above, *when.below))) {
                add("alarm", id, "clear",
                    "when and clear can hold together; leave a gap between them");
            }
        }
    }

    void checks()
    {
        for (const auto& check : profile_.checks) {
            const auto* first = find_point(check.points.front());
            for (const auto& other : check.points) {
                const auto* point = find_point(other);
                if (point == nullptr || first == nullptr) {
                    continue;
                }
                if (point->unit != first->unit) {
                    add("check", check.id, "points",
                        other + " and " + check.points.front() +
                            " have different units and cannot agree; write points of one unit");
                } else if (point->poll != first->poll) {
                    add("check", check.id, "points",
                        other + " and " + check.points.front() +
                            " are not read together; write the same poll for both");
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
                inside(point, std::get<Fraction>(end.value), "acceptance", test.id, "range");
            }
        }
    }

    void ages()
    {
        for (const auto& age : profile_.ages) {
            for (const auto& point : profile_.points) {
                const auto& names = age.points;
                const bool named = names.empty()
                                       ? !point.hidden
                                       : std::ranges::find(names, point.id) != names.end();
                if (named && age.stale < point.poll) {
                    mistakes_.add(places_.of_value("age", "stale", age.stale), "age.stale",
                                  "is shorter than the poll of " + point.id +
                                      ", so that every reading of it is stale; write a longer one");
                    break;
                }
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
            mistakes_.add(places_.of("profile"), "profile.sources",
                          "a final profile says where its map is from; write sources = [\"…\"]");
        }
        const auto* driver = driver_schema(profile_.driver);
        if (!driver->identify.empty() &&
            std::ranges::none_of(profile_.identify, &Identify::required)) {
            mistakes_.add(places_.of("identify"), "identify",
                          "nothing tells this device from another; write required = true in one");
        }
    }

private:
    void add(const std::string& section, const std::string& id, const std::string& key,
             const std::string& what)
    {
        mistakes_.add(places_.of(section, id, key), section + ' ' + id + '.' + key, what);
    }

    /// A point, or any of its rows.
    const Point* find_point(const std::string& reference) const
    {
        for (const auto& point : profile_.points) {
            if (point.id == reference || (point.row && point.row->of == reference)) {
                return &point;
            }
        }
        return nullptr;
    }

    void number_rules(const Point& point, const std::string& id)
    {
        if (point.kind != "text" && point.names.empty()) {
            return;
        }
        const std::pair<const char*, bool> rules[] = {{"valid", point.valid_low.has_value()},
                                                      {"report", point.report.deadband.has_value()},
                                                      {"rate", point.rate_per_second.has_value()},
                                                      {"counter", point.counter.has_value()},
                                                      {"unit_from", point.unit_from.has_value()},
                                                      {"scale_from", point.scale_from.has_value()}};
        for (const auto& [key, written] : rules) {
            if (written) {
                add("point", id, key,
                    "is a name or a text; valid, deadband, rate, counter and what is told of a "
                    "number need a number: leave it out");
            }
        }
    }

    /// What explains others cannot need an explanation itself.
    void told(const Point& point, const std::string& id)
    {
        const auto plain = [&](const char* key, const std::string& other) {
            const auto* source = find_point(other);
            if (source != nullptr && (source->unit_from || source->scale_from)) {
                add("point", id, key,
                    other + " is itself told by another value; write a plain one");
            }
        };
        if (point.unit_from) {
            plain("unit_from", point.unit_from->point);
        }
        if (point.scale_from) {
            plain("scale_from", point.scale_from->point);
        }
        const auto* count = point.row ? find_point(point.row->count) : nullptr;
        if (count != nullptr && (count->kind == "text" || count->kind.starts_with("float32"))) {
            add("point", id, "each", "a count is a whole number, but it is read as " + count->kind);
        }
    }

    void times(const Point& point, const std::string& id)
    {
        const auto& report = point.report;
        const auto short_of = [&point](const std::optional<Duration>& time) {
            return time && *time < point.poll;
        };
        if (short_of(report.every) || short_of(report.max)) {
            add("point", id, "report", "report.every and report.max are at least as long as poll");
        }
        if (short_of(point.stuck)) {
            add("point", id, "stuck", "is at least as long as poll");
        }
    }

    void inside(const Point* point, const std::optional<Fraction>& threshold,
                const std::string& section, const std::string& id, const std::string& key)
    {
        if (point != nullptr && threshold && point->valid_low &&
            (less(*threshold, *point->valid_low) || less(*point->valid_high, *threshold))) {
            add(section, id, key,
                threshold->text() + " is outside the valid range of " +
                    (point->row ? point->row->of : point->id) +
                    " and is never reached by a good reading; write one from " +
                    point->valid_low->text() + " to " + point->valid_high->text());
        }
    }

    const Profile& profile_;
    Places places_;
    Mistakes& mistakes_;
};

}  // namespace

void lint(const Profile& profile, std::string_view text, Mistakes& mistakes)
{
    Linter linter(profile, text, mistakes);
    linter.points();
    linter.alarms();
    linter.checks();
    linter.acceptance();
    linter.ages();
    if (profile.final) {
        linter.final_profile();
    }
}

}  // namespace gateway
