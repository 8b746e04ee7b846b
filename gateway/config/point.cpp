#include "gateway/config/profile_parts.hpp"

#include <algorithm>
#include <charconv>

namespace gateway {

namespace {

using namespace std::chrono_literals;

/// What the driver yields for this read.
std::string kind_of(const SettingTable& read, const DriverSchema& driver)
{
    static const std::map<std::string, std::string, std::less<>> same{
        {"bcd16", "uint16"},      {"bcd32", "uint32"},      {"bcd64", "uint64"},
        {"count", "uint64"},      {"bit", "bool"},          {"acc16", "uint16"},
        {"acc32", "uint32"},      {"acc64", "uint64"},      {"enum16", "uint16"},
        {"enum32", "uint32"},     {"bitfield16", "uint16"}, {"bitfield32", "uint32"},
        {"bitfield64", "uint64"}, {"hex", "uint64"}};
    const auto type = get<std::string>(read, "type", std::string(driver.kind));
    const auto other = same.find(type);
    return other == same.end() ? type : other->second;
}

void parse_factor(const Field& field, Factor& factor, const Profile& profile)
{
    if (!field || !std::holds_alternative<SettingTable>(field.setting()->value)) {
        field.fraction(factor.times);
        return;
    }
    factor.times = 1;
    field.table([&](Table& keys) {
        const auto parameter = keys.need("parameter");
        parameter.text(factor.parameter, name_format);
        keys["times"].fraction(factor.times);
        const auto known = [&](const Parameter& each) { return each.id == factor.parameter; };
        if (!factor.parameter.empty() && std::ranges::none_of(profile.parameters, known)) {
            parameter.mistake("there is no [[parameter]] with this id");
        }
    });
}

void parse_quantity(Table& table, Point& point, const Vocabulary& vocabulary)
{
    const auto quantity = table.need("quantity");
    quantity.text(point.quantity);
    const auto unit = table["unit"];
    const auto known = vocabulary.quantities.find(point.quantity);
    if (known == vocabulary.quantities.end()) {
        parse_unit(unit, point.unit, vocabulary);
        if (!point.quantity.empty() && !vocabulary.quantities.empty()) {
            std::vector<std::string_view> names;
            for (const auto& [name, term] : vocabulary.quantities) {
                names.push_back(name);
            }
            const auto near = nearest(point.quantity, names);
            quantity.mistake(quote(*quantity.setting()) + " is not in quantities.toml" +
                             (near.empty() ? "" : "; the nearest is \"" + std::string(near) + '"'));
        }
        return;
    }
    const auto& dimension = known->second.dimension;
    if (dimension == "none") {
        if (unit) {
            unit.mistake("has no place here: " + point.quantity + " has no unit; leave it out");
        }
        return;
    }
    if (!unit) {
        unit.mistake("is missing; " + units_of(dimension, vocabulary));
        return;
    }
    parse_unit(unit, point.unit, vocabulary, dimension);
    const auto given = vocabulary.units.find(point.unit);
    if (given != vocabulary.units.end() && given->second.dimension != dimension) {
        unit.mistake(quote(*unit.setting()) + " is a unit of " + given->second.dimension +
                     ", but " + point.quantity + " is a " + dimension + "; " +
                     units_of(dimension, vocabulary));
    }
}

void parse_enum(Table& table, Point& point)
{
    const auto names = table["enum"];
    names.table([&](Table& keys) {
        for (const auto& [key, setting] : keys.settings()) {
            std::int64_t number = 0;
            const auto* const end = key.data() + key.size();
            const auto field = keys[key];
            if (const auto parsed = std::from_chars(key.data(), end, number);
                parsed.ec != std::errc{} || parsed.ptr != end) {
                field.mistake("the key is not a whole number; write 1 = \"name\"");
            }
            field.text(point.names[number]);
        }
    });
    if (names && (point.kind.starts_with("float") || point.kind == "text")) {
        names.mistake("names whole numbers, but the point reads " + point.kind);
    }
    const auto bad = table["bad_enum"];
    bad.texts(point.bad_names);
    check_names(bad, point.bad_names, point);
}

void parse_counter(Table& keys, Counter& counter)
{
    const auto wrap = keys["wrap"];
    if (const auto* setting = wrap.setting()) {
        const auto text = std::holds_alternative<std::string>(setting->value)
                              ? std::get<std::string>(setting->value)
                              : quote(*setting);
        std::uint64_t largest = 0;
        const auto* const end = text.data() + text.size();
        const auto parsed = std::from_chars(text.data(), end, largest);
        if (parsed.ec == std::errc{} && parsed.ptr == end && largest != 0) {
            counter.wrap = largest;
        } else if (text != "none") {
            wrap.mistake(quote(*setting) +
                         " is not a largest count; write \"none\" or as in 4294967295");
        }
    }
    keys["reset"].choice(counter.report_reset, {{"report", true}, {"ignore", false}});
}

void parse_rate(Table& keys, std::optional<Fraction>& per_second)
{
    std::optional<Fraction> most;
    std::optional<Duration> per;
    const auto change = keys.need("most");
    change.fraction(most);
    keys.need("per").duration(per, 1ms);
    if (!most || !per) {
        return;
    }
    const auto inverse = Fraction::of(1'000'000'000, per->count());
    per_second = inverse ? most->times(*inverse) : std::nullopt;
    if (!per_second || !less(Fraction(0), *per_second)) {
        change.mistake("is not a change that can be held exactly; write a positive decimal");
    }
}

void parse_report(Table& keys, Report& report)
{
    const auto deadband = keys["deadband"];
    deadband.fraction(report.deadband);
    if (report.deadband && less(*report.deadband, Fraction(0))) {
        deadband.mistake("is negative; write 0 or more");
    }
    keys["on_change"].flag(report.on_change);
    keys["every"].duration(report.every, 10ms);
    const auto align = keys["align"];
    align.flag(report.align);
    if (report.align && !keys["every"]) {
        align.mistake("says nothing without every; write every = \"15m\"");
    }
    keys["max"].duration(report.max, 10ms);
}

/// A profile computes nothing: what a point is can be checked against the maker's list.
void refuse_formulas(Table& table)
{
    for (const auto* key : {"expression", "formula", "calc", "compute", "sum", "derive", "value"}) {
        if (table.settings().contains(key)) {
            table[key].mistake(
                "a profile does not compute; write scale, offset, unit_from, scale_from, enum, or "
                "choose with bits, fallback and each; the platform derives the rest");
        }
    }
}

void parse_rules(Table& table, Point& point, ProfileContext& context)
{
    parse_missing(table["missing"], point.kind, point.missing, point.missing_nan);
    table["valid"].range(point.valid_low, point.valid_high);
    parse_enum(table, point);
    table["counter"].table([&](Table& keys) { parse_counter(keys, point.counter.emplace()); });
    table["rate"].table([&](Table& keys) { parse_rate(keys, point.rate_per_second); });
    table["stuck"].duration(point.stuck, 1s);
    table["good_if"].table([&](Table& keys) {
        auto& good_if = point.good_if.emplace();
        const auto other = keys.need("point");
        const auto in = keys.need("in");
        other.text(good_if.point);
        in.texts(good_if.in);
        context.later.emplace_back([&context, other, in, good_if] {
            const auto* on = good_if.point.empty() ? nullptr : refer(other, good_if.point, context);
            if (on != nullptr) {
                check_names(in, good_if.in, *on);
            }
        });
    });
}

}  // namespace

void parse_read(const Field& field, Point& point, const ProfileContext& context)
{
    if (context.driver == nullptr) {
        return;
    }
    point.read = conform(field, context.driver->read);
    point.kind = kind_of(point.read, *context.driver);
    if (context.driver->check_read != nullptr && field) {
        context.driver->check_read(point.read, field);
    }
}

Point parse_point(Table& table, ProfileContext& context)
{
    Point point;
    point.place = table.place();
    parse_id(table, point.id, name_format, context.point_ids);
    table.need("title").text(point.title);
    parse_quantity(table, point, context.vocabulary);
    const auto read = table.need("read");
    parse_read(read, point, context);
    parse_each(table["each"], read, point, context);
    parse_factor(table["scale"], point.scale, context.profile);
    parse_factor(table["offset"], point.offset, context.profile);
    parse_rules(table, point, context);
    parse_told(table, point, context);
    refuse_formulas(table);
    const bool polled = context.driver != nullptr && context.driver->polled;
    const auto poll = polled ? table.need("poll", "poll = \"60s\"") : table["poll"];
    poll.duration(point.poll, 10ms);
    table["report"].table([&](Table& keys) { parse_report(keys, point.report); });
    table["class"].choice(point.lane, {{"billing", Lane::billing},
                                       {"telemetry", Lane::telemetry},
                                       {"diagnostic", Lane::diagnostic}});
    table["publish"].choice(point.publish, {{"open", Publish::open},
                                            {"agency", Publish::agency},
                                            {"restricted", Publish::restricted}});
    return point;
}

}  // namespace gateway
