// `each`: a point that a device has several times is written once and becomes as many points.
#include "gateway/config/profile_parts.hpp"

#include <algorithm>

namespace gateway {

namespace {

using namespace rules;

constexpr std::size_t most_points = 4'096;

void number_rows(Setting& setting, const std::string& number)
{
    if (auto* text = std::get_if<std::string>(&setting.value)) {
        for (auto at = text->find("{i}"); at != std::string::npos; at = text->find("{i}", at)) {
            text->replace(at, 3, number);
        }
    } else if (auto* list = std::get_if<SettingList>(&setting.value)) {
        std::ranges::for_each(*list, [&](Setting& item) { number_rows(item, number); });
    } else if (auto* table = std::get_if<SettingTable>(&setting.value)) {
        std::ranges::for_each(*table, [&](auto& entry) { number_rows(entry.second, number); });
    }
}

/// The `read` of one row; `row` counts from 0.
SettingTable read_of_row(SettingTable read, const Each& each, unsigned row, std::string_view key)
{
    const auto number = std::to_string(each.first + row);
    for (auto& [name, setting] : read) {
        number_rows(setting, number);
        auto* address = name == key ? std::get_if<std::int64_t>(&setting.value) : nullptr;
        if (address != nullptr) {
            *address += each.step * row;
        }
    }
    return read;
}

std::string row_id(const std::string& id, unsigned row)
{
    return id + '[' + std::to_string(row + 1) + ']';
}

/// Makes rows of points and of what refers to them.
class Rows {
public:
    explicit Rows(ProfileContext& context) : context_(context) {}

    void expand_points()
    {
        auto& profile = context_.profile;
        std::vector<Point> all;
        for (auto& point : profile.points) {
            const auto each = context_.each.find(point.id);
            if (each == context_.each.end()) {
                all.push_back(std::move(point));
                continue;
            }
            for (unsigned row = 0; row < each->second.max && all.size() <= most_points; ++row) {
                all.push_back(row_of(point, each->second, row));
            }
        }
        if (all.size() > most_points) {
            all.resize(most_points);
            profile_mistake("point", "with its rows the profile has more than " +
                                         std::to_string(most_points) +
                                         " points; write a smaller max");
        }
        profile.points = std::move(all);
    }

    /// Status and age rules: a value with rows speaks for the points of its row.
    template <typename Rule>
    void expand_rules(std::vector<Rule>& rules, const std::string& name)
    {
        std::vector<Rule> all;
        for (const auto& rule : rules) {
            const auto count = rows_of(rule.point);
            for (unsigned row = 0; row < std::max(count, 1U); ++row) {
                auto& one = all.emplace_back(rule);
                one.points.clear();
                one.point = count == 0 ? rule.point : row_id(rule.point, row);
                for (const auto& id : rule.points) {
                    add(one.points, id, count, row);
                }
            }
            if (count > 0 && rule.points.empty()) {
                profile_mistake(name,
                                rule.point + " has rows; write points = [ … ] that have them too");
            }
        }
        rules = std::move(all);
    }

    void expand_checks()
    {
        std::vector<Check> all;
        for (const auto& check : context_.profile.checks) {
            unsigned count = 0;
            bool mixed = false;
            for (const auto& id : check.points) {
                mixed = mixed || (&id != check.points.data() && rows_of(id) != count);
                count = rows_of(id);
            }
            if (mixed) {
                context_.mistakes.add(check.place, "check " + check.id + ".points",
                                      "have different rows; name one row, as in \"a[1]\"");
            }
            for (unsigned row = 0; row < std::max(count, 1U); ++row) {
                auto& one = all.emplace_back(check);
                std::ranges::transform(check.points, one.points.begin(),
                                       [&](const std::string& id) { return same_row(id, row); });
            }
        }
        context_.profile.checks = std::move(all);
    }

    void expand_alarms()
    {
        std::vector<Alarm> all;
        for (const auto& alarm : context_.profile.alarms) {
            const auto count = rows_of(alarm.point);
            for (unsigned row = 0; row < std::max(count, 1U); ++row) {
                auto& one = all.emplace_back(alarm);
                if (count > 0) {
                    one.id = row_id(alarm.id, row);
                    one.point = row_id(alarm.point, row);
                }
            }
        }
        context_.profile.alarms = std::move(all);
    }

private:
    unsigned rows_of(const std::string& id) const
    {
        const auto each = context_.each.find(id);
        return each == context_.each.end() ? 0 : each->second.max;
    }
    std::string same_row(const std::string& id, unsigned row) const
    {
        return rows_of(id) == 0 ? id : row_id(id, row);
    }
    void add(std::vector<std::string>& ids, const std::string& id, unsigned count, unsigned row)
    {
        const auto own = rows_of(id);
        if (own == 0 || count > 0) {
            ids.push_back(same_row(id, row));
            return;
        }
        for (unsigned each = 0; each < own; ++each) {
            ids.push_back(row_id(id, each));
        }
    }
    Point row_of(const Point& point, const Each& each, unsigned row)
    {
        Point one = point;
        const auto label =
            row < each.labels.size() ? each.labels[row] : std::to_string(each.first + row);
        one.id = row_id(point.id, row);
        one.row = PointRow{point.id, static_cast<std::uint16_t>(row + 1), each.count, label};
        one.read = read_of_row(point.read, each, row, context_.driver->row_key);
        const auto follow = [&](std::string& id) {
            if (!id.empty() && rows_of(id) > 0 && row >= rows_of(id)) {
                context_.mistakes.add(point.place, "point " + point.id,
                                      id + " has fewer rows; write the same max");
            }
            id = same_row(id, row);
        };
        follow(one.fallback);
        if (one.good_if) {
            follow(one.good_if->point);
        }
        if (one.unit_from) {
            follow(one.unit_from->point);
        }
        if (one.scale_from) {
            follow(one.scale_from->point);
        }
        return one;
    }
    void profile_mistake(const std::string& path, const std::string& what)
    {
        context_.mistakes.add({context_.profile.file}, path, what);
    }

    ProfileContext& context_;
};

void parse_count(const Field& count, Each& each, const Point& point, ProfileContext& context)
{
    const auto& value = count.setting()->value;
    if (std::holds_alternative<std::int64_t>(value)) {
        count.integer(each.max, 1, 256);
    } else if (std::holds_alternative<std::string>(value)) {
        // A text is short for the first key of a read.
        const auto key = context.driver->read.front().front().key;
        const Setting read{.value = SettingTable{{std::string(key), *count.setting()}},
                           .place = count.place()};
        const Field field(&read, count.place(), count.path(), count.mistakes());
        each.count = add_hidden(field, "count", point, context);
    } else {
        each.count = add_hidden(count, "count", point, context);
    }
}

}  // namespace

void parse_each(const Field& field, const Field& read, const Point& point, ProfileContext& context)
{
    if (context.driver == nullptr) {
        return;
    }
    field.table([&](Table& keys) {
        Each each;
        const auto count =
            keys.need("count", "how many rows there are: a number, or where to read it");
        const bool fixed = count && std::holds_alternative<std::int64_t>(count.setting()->value);
        if (count) {
            parse_count(count, each, point, context);
        }
        const auto max = fixed ? keys["max"] : keys.need("max", "the largest count, 1 to 256");
        if (fixed && max) {
            max.mistake("has no use beside a fixed count; leave it out");
        }
        max.integer(each.max, 1, 256);
        keys["first"].integer(each.first, 0, 65'535);
        keys["step"].integer(each.step, -65'535, 65'535);
        keys["labels"].texts(each.labels);
        const auto key = context.driver->row_key;
        if (each.step != 0 && !point.read.contains(key)) {
            keys.mistake("step has no address to move; write {i} in read");
        } else if (each.max > 1 && !point.read.empty() &&
                   read_of_row(point.read, each, 0, key) == read_of_row(point.read, each, 1, key)) {
            const std::string what = "every row would read the same; write ";
            key.empty() ? read.mistake(what + "{i} in it")
                        : keys.mistake(what + "step, from one row's " + std::string(key) +
                                       " to the next one's");
        }
        const auto last = read_of_row(point.read, each, std::max<unsigned>(each.max, 1) - 1, key);
        if (context.driver->check_read != nullptr && read) {
            context.driver->check_read(last, read);
        }
        context.each[point.id] = std::move(each);
    });
}

void expand_rows(ProfileContext& context)
{
    if (context.each.empty()) {
        return;
    }
    Rows rows(context);
    auto& profile = context.profile;
    rows.expand_points();
    rows.expand_rules(profile.status, "status");
    rows.expand_rules(profile.ages, "age");
    rows.expand_checks();
    rows.expand_alarms();
    for (const auto& point : profile.points) {
        if (point.row && profile.wake && profile.wake->point == point.row->of) {
            context.mistakes.add({profile.file}, "wake",
                                 "one row is enough; write \"" + point.id + '"');
        }
    }
}

}  // namespace gateway
