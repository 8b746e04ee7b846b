#include "gateway/config/rule.hpp"

#include <algorithm>

namespace gateway {

namespace {

std::vector<std::string_view> split(std::string_view choices)
{
    std::vector<std::string_view> names;
    while (!choices.empty()) {
        const auto bar = std::min(choices.find('|'), choices.size());
        names.push_back(choices.substr(0, bar));
        choices.remove_prefix(std::min(bar + 1, choices.size()));
    }
    return names;
}

template <typename T>
std::optional<decltype(Setting::value)> held(std::optional<T> value)
{
    return value ? std::optional<decltype(Setting::value)>(std::move(*value)) : std::nullopt;
}

std::optional<decltype(Setting::value)> choice_value(const Field& field, const Rule& rule)
{
    Choices<std::string> choices;
    for (const auto name : split(rule.choices)) {
        choices.emplace_back(name, name);
    }
    std::string chosen;
    field.choice(chosen, choices);
    return chosen.empty() ? std::nullopt : held(std::optional(std::move(chosen)));
}

std::optional<decltype(Setting::value)> range_value(const Field& field)
{
    const auto both = field.as_range();
    if (!both) {
        return std::nullopt;
    }
    return SettingList{{.value = both->front(), .place = field.place()},
                       {.value = both->back(), .place = field.place()}};
}

std::optional<decltype(Setting::value)> scalar_value(const Field& field)
{
    const auto& value = field.setting()->value;
    if (std::holds_alternative<SettingList>(value) || std::holds_alternative<SettingTable>(value)) {
        field.mistake("is not a single value; write a number, a text, true or false");
        return std::nullopt;
    }
    return value;
}

std::optional<Setting> conform(const Field& field, const Rule& rule);

SettingTable map_value(const Field& field, const Rule& rule)
{
    SettingTable out;
    const auto* entries = field.as_table();
    if (entries == nullptr) {
        return out;
    }
    for (const auto& [key, entry] : *entries) {
        const Field value(&entry, entry.place, field.path() + '.' + key, field.mistakes());
        if (!rule.format->fits(key)) {
            value.mistake("the key is not " + std::string(rule.format->name));
        } else if (auto setting = conform(value, rule.keys.front())) {
            out.emplace(key, std::move(*setting));
        }
    }
    return out;
}

std::optional<decltype(Setting::value)> table_value(const Field& field, const Rule& rule)
{
    std::optional<decltype(Setting::value)> out;
    field.table([&](Table& keys) { out = gateway::conform(keys, rule.keys); });
    return out;
}

std::optional<decltype(Setting::value)> one_value(const Field& field, const Rule& rule)
{
    switch (rule.type) {
        case RuleType::flag:
            return held(field.as_flag());
        case RuleType::integer:
            return held(field.as_integer(rule.low, rule.high));
        case RuleType::fraction:
            return held(field.as_fraction());
        case RuleType::percent:
            return held(field.as_percent());
        case RuleType::range:
            return range_value(field);
        case RuleType::text:
            return held(field.as_text(*rule.format, static_cast<std::size_t>(rule.high)));
        case RuleType::choice:
            return choice_value(field, rule);
        case RuleType::duration:
            // The text goes on; drivers convert it with `duration_of`.
            return field.as_duration(Duration::zero(), Duration::max())
                       ? std::optional(field.setting()->value)
                       : std::nullopt;
        case RuleType::table:
            return table_value(field, rule);
        case RuleType::map:
            return map_value(field, rule);
        case RuleType::scalar:
            return scalar_value(field);
    }
    return std::nullopt;
}

std::optional<Setting> conform(const Field& field, const Rule& rule)
{
    if (!rule.list) {
        auto value = one_value(field, rule);
        return value ? std::optional(Setting{.value = std::move(*value), .place = field.place()})
                     : std::nullopt;
    }
    SettingList list;
    for (const auto& item : field.items()) {
        if (auto value = one_value(item, rule)) {
            list.push_back({.value = std::move(*value), .place = item.place()});
        }
    }
    return Setting{.value = std::move(list), .place = field.place()};
}

/// What to write for a missing key.
std::string hint(const Rule& rule)
{
    switch (rule.type) {
        case RuleType::choice:
            return (rule.list ? "a list of " : "one of ") + quote(split(rule.choices));
        case RuleType::integer:
            return "a number from " + std::to_string(rule.low) + " to " + std::to_string(rule.high);
        case RuleType::text:
            return rule.format == &any_text ? std::string() : std::string(rule.format->name);
        case RuleType::percent:
            return "a percentage, as in \"2%\"";
        case RuleType::range:
            return "[lowest, highest]";
        case RuleType::duration:
            return "a duration, as in \"5s\"";
        case RuleType::flag:
            return "true or false";
        case RuleType::fraction:
        case RuleType::table:
        case RuleType::map:
        case RuleType::scalar:
            break;
    }
    return {};
}

}  // namespace

SettingTable conform(Table& table, Form form)
{
    SettingTable out;
    for (const auto& rule : form) {
        const auto field = rule.required ? table.need(rule.key, hint(rule)) : table[rule.key];
        if (!field) {
            continue;
        }
        if (auto setting = conform(field, rule)) {
            out.emplace(rule.key, std::move(*setting));
        }
    }
    return out;
}

SettingTable conform(const Field& field, Forms forms)
{
    const auto* given = field.as_table();
    if (given == nullptr) {
        return {};
    }
    const auto chosen =
        forms.size() == 1 ? forms.begin() : std::ranges::find_if(forms, [given](Form form) {
            return given->contains(form.front().key);
        });
    if (chosen == forms.end()) {
        std::string firsts;
        for (const auto form : forms) {
            firsts += firsts.empty() ? "" : " or ";
            firsts += form.front().key;
        }
        field.mistake(firsts.empty() ? "has no place here" : "is incomplete; write " + firsts);
        return {};
    }
    SettingTable out;
    field.table([&](Table& keys) { out = conform(keys, *chosen); });
    return out;
}

}  // namespace gateway
