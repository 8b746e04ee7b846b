// `profile new`: a commented profile to begin with.
#include "gateway/commands/commands.hpp"
#include "gateway/config/driver_schema.hpp"
#include "gateway/config/file.hpp"
#include "gateway/config/last_good.hpp"
#include "gateway/config/literal.hpp"
#include "gateway/config/toml.hpp"
#include "gateway/config/vocabulary.hpp"

#include <filesystem>
#include <iostream>

namespace gateway {

namespace {

/// A quantity that the category makes likely: "water-meter" measures one of "water.…".
std::string likely_quantity(const std::string& category, const Vocabulary& words)
{
    const auto kind = category.substr(0, category.find('-'));
    for (const auto& part : {kind, category.substr(category.rfind('-') + 1)}) {
        for (const auto& [name, term] : words.quantities) {
            if (term.dimension != "none" &&
                ('.' + name + '.').find('.' + part + '.') != std::string::npos) {
                return name;
            }
        }
    }
    return "device.temperature";
}

/// The unit of its dimension that the others are converted to.
std::string unit_of(const std::string& quantity, const Vocabulary& words)
{
    const auto known = words.quantities.find(quantity);
    std::string unit;
    for (const auto& [name, term] : words.units) {
        const bool fits =
            known != words.quantities.end() && term.dimension == known->second.dimension;
        if (fits && (unit.empty() || term.factor == Fraction(1))) {
            unit = name;
        }
    }
    return unit;
}

void replace_all(std::string& text, std::string_view from, const std::string& to)
{
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
}

std::string known_drivers()
{
    std::string names;
    for (const auto& driver : driver_schemas()) {
        const auto file =
            schemas_folder() + "/templates/" + std::string(driver.name) + ".profile.toml";
        std::error_code ignored;
        if (std::filesystem::exists(file, ignored)) {
            names += (names.empty() ? "" : ", ") + std::string(driver.name);
        }
    }
    return names;
}

}  // namespace

int profile_new(const std::string& category, const std::string& driver)
{
    if (!slug_format.fits(category)) {
        std::cerr << "smart-gateway: \"" << category
                  << "\" is not a category; write for example water-meter\n";
        return 64;
    }
    const auto text = driver_schema(driver) == nullptr
                          ? Result<std::string>(Fault::not_found)
                          : read_file(schemas_folder() + "/templates/" + driver + ".profile.toml",
                                      longest_document);
    if (!text) {
        std::cerr << "smart-gateway: there is no template for \"" << driver << "\"; write one of "
                  << known_drivers() << "\n";
        return 64;
    }
    Mistakes mistakes;
    const auto words = load_vocabulary(schemas_folder(), mistakes);
    if (!mistakes.empty()) {
        throw ConfigError(mistakes.text());
    }
    auto profile = *text;
    const auto quantity = likely_quantity(category, words);
    replace_all(profile, "@ID@", "il." + category + ".maker-model");
    replace_all(profile, "@CATEGORY@", category);
    replace_all(profile, "@QUANTITY@", quantity);
    replace_all(profile, "@UNIT@", unit_of(quantity, words));
    std::cout << profile;
    return 0;
}

}  // namespace gateway
