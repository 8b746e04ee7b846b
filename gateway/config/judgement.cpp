#include "gateway/config/profile_parts.hpp"

#include <algorithm>
#include <array>

namespace gateway {

namespace {

using namespace rules;

constexpr auto quality_keys = std::array{must(duration("within"))};
constexpr auto integral_keys =
    std::array{must(text("of")), must(text("equals")), must(of_type("least", RuleType::fraction)),
               must(of_type("tolerance", RuleType::percent))};
constexpr auto range_keys = std::array{must(text("point")), must(of_type("range", RuleType::range)),
                                       must(duration("within"))};
constexpr auto reference_keys = std::array{must(text("point")), must(text("ask")),
                                           must(of_type("tolerance", RuleType::fraction))};
constexpr auto latency_keys = std::array{must(integer("percentile", 1, 100)),
                                         must(duration("below")), must(duration("over"))};
constexpr auto check_keys = std::array{must(text("check")), must(duration("over")),
                                       must(of_type("pass", RuleType::percent))};

/// The closed table of each kind of acceptance test.
struct AcceptanceKind {
    std::string_view name;
    Form keys;
};
constexpr std::array<AcceptanceKind, 7> acceptance_kinds{{{"identify", {}},
                                                          {"quality", quality_keys},
                                                          {"integral", integral_keys},
                                                          {"range", range_keys},
                                                          {"reference", reference_keys},
                                                          {"latency", latency_keys},
                                                          {"check", check_keys}}};

void parse_check(Table& table, Check& check, const ProfileContext& context)
{
    const auto points = table.need("points");
    points.texts(check.points);
    for (const auto& item : points.items()) {
        if (const auto id = item.as_text(any_text, 160)) {
            refer(item, *id, context);
        }
    }
    if (points && check.points.size() < 2) {
        points.mistake("agreement needs two points or more");
    }
    const auto agree = table.need("agree", "agree = { absolute = 5.0, relative = \"70%\" }");
    agree.table([&](Table& keys) {
        keys["absolute"].fraction(check.absolute);
        keys["relative"].percent(check.relative);
        if (!keys["absolute"] && !keys["relative"]) {
            agree.mistake("says nothing; write absolute, relative or both");
        }
    });
    table["on_fail"].choice(check.on_fail, {{"suspect", Quality::suspect}, {"bad", Quality::bad}});
}

void parse_condition(const Field& field, AlarmCondition& condition, const Point* point)
{
    field.table([&](Table& keys) {
        keys["above"].fraction(condition.above);
        keys["below"].fraction(condition.below);
        for (auto* names : {&condition.in, &condition.not_in}) {
            const auto list = keys[names == &condition.in ? "in" : "not_in"];
            list.texts(*names);
            if (point != nullptr) {
                check_names(list, *names, *point);
            }
        }
        keys["for"].duration(condition.hold);
        if (!keys["above"] && !keys["below"] && !keys["in"] && !keys["not_in"]) {
            field.mistake("says nothing; write above, below, in or not_in");
        }
    });
}

void parse_alarm(Table& table, Alarm& alarm, const ProfileContext& context)
{
    const auto field = table.need("point");
    field.text(alarm.point);
    const auto* point = alarm.point.empty() ? nullptr : refer(field, alarm.point, context);
    parse_condition(table.need("when"), alarm.when, point);
    parse_condition(table.need("clear", "when the alarm ends, as in { above = 108.0 }"),
                    alarm.clear, point);
    table.need("severity")
        .choice(alarm.severity,
                {{"info", "info"}, {"warning", "warning"}, {"critical", "critical"}});
    table.need("text").text(alarm.text);
}

void parse_quirk(Table& table, Quirk& quirk, const ProfileContext& context)
{
    table["vendor"].text(quirk.vendor);
    table["firmware"].text(quirk.firmware, firmware_format);
    table.need("note").text(quirk.note);
    const auto field = table.need("point");
    field.text(quirk.point);
    const auto* point = quirk.point.empty() ? nullptr : refer(field, quirk.point, context);
    bool nan = false;
    parse_missing(table["missing"], point == nullptr ? "" : point->kind, quirk.missing, nan);
    if (nan) {
        quirk.missing.push_back(Value::float64(std::numeric_limits<double>::quiet_NaN()));
    }
}

void parse_acceptance(Table& table, Acceptance& acceptance, const ProfileContext& context)
{
    Choices<const AcceptanceKind*> kinds;
    for (const auto& kind : acceptance_kinds) {
        kinds.emplace_back(kind.name, &kind);
    }
    const AcceptanceKind* kind = nullptr;
    table.need("kind").choice(kind, kinds);
    if (kind == nullptr) {
        table.accept_all();
        return;
    }
    acceptance.kind = kind->name;
    acceptance.settings = conform(table, kind->keys);
    for (const auto* key : {"of", "equals", "point"}) {
        const auto id = get<std::string>(acceptance.settings, key, {});
        if (!id.empty()) {
            refer(table[key], id, context);
        }
    }
    const auto id = get<std::string>(acceptance.settings, "check", {});
    const auto& checks = context.profile.checks;
    if (!id.empty() && std::ranges::find(checks, id, &Check::id) == checks.end()) {
        table["check"].mistake("there is no [[check]] with this id");
    }
}

void parse_example(Table& table, Example& example, const ProfileContext& context)
{
    example.place = table.place();
    table.need("expect").table([&](Table& keys) {
        for (const auto& [id, setting] : keys.settings()) {
            const auto field = keys[id];
            const auto* text = std::get_if<std::string>(&setting.value);
            if (std::holds_alternative<SettingList>(setting.value) ||
                std::holds_alternative<SettingTable>(setting.value)) {
                field.mistake("is not a single value; write a number, a text, true or false");
            } else if (context.each.contains(id)) {
                field.mistake("has rows; write which one, as in \"" + id + "[1]\"");
            } else if (refer(field, id, context) != nullptr) {
                example.expect.emplace(id, text == nullptr ? quote(setting) : *text);
            }
        }
    });
    if (context.driver == nullptr) {
        table.accept_all();
    } else {
        example.raw = conform(table, context.driver->example);
    }
}

}  // namespace

void parse_judgements(Table& document, const ProfileContext& context)
{
    auto& profile = context.profile;
    std::set<std::string> checks;
    document["check"].tables([&](Table& table) {
        auto& check = profile.checks.emplace_back();
        check.place = table.place();
        parse_id(table, check.id, slug_format, checks);
        parse_check(table, check, context);
    });
    document["quirk"].tables(
        [&](Table& table) { parse_quirk(table, profile.quirks.emplace_back(), context); });
    std::set<std::string> alarms;
    document["alarm"].tables([&](Table& table) {
        auto& alarm = profile.alarms.emplace_back();
        alarm.place = table.place();
        parse_id(table, alarm.id, name_format, alarms);
        parse_alarm(table, alarm, context);
    });
    std::set<std::string> tests;
    document["acceptance"].tables([&](Table& table) {
        auto& acceptance = profile.acceptance.emplace_back();
        acceptance.place = table.place();
        parse_id(table, acceptance.id, slug_format, tests);
        parse_acceptance(table, acceptance, context);
    });
    document["example"].tables(
        [&](Table& table) { parse_example(table, profile.examples.emplace_back(), context); });
}

}  // namespace gateway
