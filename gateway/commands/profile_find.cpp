// `profile find`: what can be read, by model, order number or contract, with the lines to paste.
#include "gateway/commands/profile_find.hpp"

#include "gateway/config/driver_schema.hpp"
#include "gateway/config/file.hpp"
#include "gateway/config/toml.hpp"

#include <algorithm>
#include <cctype>

namespace gateway {

namespace {

std::string lower(std::string_view text)
{
    std::string out(text);
    std::ranges::transform(out, out.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

bool has(std::string_view text, std::string_view word)
{
    return lower(text).find(lower(word)) != std::string::npos;
}

/// A value that shows what belongs there.
std::string sample_of(const Rule& rule)
{
    if (rule.type == RuleType::integer) {
        return std::to_string(rule.key == "baud" ? 9600 : std::max<std::int64_t>(rule.low, 1));
    }
    if (rule.type == RuleType::choice) {
        return '"' + std::string(rule.choices.substr(0, rule.choices.find('|'))) + '"';
    }
    const std::pair<const Format*, const char*> samples[] = {
        {&host_port_format, "\"192.0.2.1:502\""},
        {&url_format, "\"http://192.0.2.1\""},
        {&broker_format, "\"mqtt://127.0.0.1:1883\""},
        {&path_format, "\"/dev/serial/by-id/…\""}};
    const auto* const known =
        std::ranges::find(samples, rule.format, &std::pair<const Format*, const char*>::first);
    return known == std::end(samples) ? "\"…\"" : known->second;
}

std::string connect_of(const std::string& driver)
{
    const auto* schema = driver_schema(driver);
    std::string keys;
    for (const auto& rule :
         schema == nullptr || schema->connect.empty() ? Form{} : schema->connect.front()) {
        if (rule.required) {
            keys += (keys.empty() ? " " : ", ") + std::string(rule.key) + " = " + sample_of(rule);
        }
    }
    return '{' + keys + " }";
}

}  // namespace

std::vector<Award> read_awards(const std::string& file)
{
    std::vector<Award> awards;
    const auto text = read_file(file, longest_document);
    Mistakes ignored;  // `check` tells them
    const auto document = text ? parse_toml(*text, file, ignored) : std::nullopt;
    for (const auto& entry : document ? get(*document, "award", SettingList{}) : SettingList{}) {
        const auto* table = std::get_if<SettingTable>(&entry.value);
        if (table == nullptr) {
            continue;
        }
        const auto profile = get(*table, "profile", std::string());
        const auto contract = get(*table, "contract", std::string());
        for (const auto& line : get(*table, "lines", SettingList{})) {
            const auto* keys = std::get_if<SettingTable>(&line.value);
            if (keys != nullptr) {
                awards.push_back({.profile = profile,
                                  .contract = contract,
                                  .line = get(*keys, "line", std::string()),
                                  .sku = get(*keys, "sku", std::string()),
                                  .title = get(*keys, "title", std::string())});
            }
        }
    }
    return awards;
}

bool mentions(const Profile& profile, const std::vector<Award>& awards, std::string_view word)
{
    std::vector<std::string> texts{profile.id, profile.title, profile.category, profile.vendor};
    texts.insert(texts.end(), profile.models.begin(), profile.models.end());
    for (const auto& award : awards) {
        if (award.profile == profile.id) {
            texts.insert(texts.end(), {award.contract, award.sku, award.title});
        }
    }
    return std::ranges::any_of(texts, [&](const std::string& text) { return has(text, word); });
}

std::string lines_to_paste(const Profile& profile)
{
    const auto name = profile.id.substr(profile.id.rfind('.') + 1);
    std::string set;
    for (const auto& parameter : profile.parameters) {
        if (parameter.required) {
            set += (set.empty() ? " " : ", ") + parameter.id + " = " + parameter.low.text();
        }
    }
    return "    [[device]]\n    id = \"" + name + "-1\"\n    profile = \"" + profile.id +
           "\"\n    connect = " + connect_of(profile.driver) + "   # where it is\n" +
           (set.empty() ? "" : "    set = {" + set + " }   # read it off the device\n");
}

}  // namespace gateway
