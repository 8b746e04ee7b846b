// config_check PROFILES FILE…: every mistake that the parser finds in site files and profiles, one
// JSON line per file: {"file": …, "mistakes": […], "dictionaries": […]}. Sites are bound to the
// profiles in the folder PROFILES. What the JSON Schemas are compared with.
#include "gateway/config/binding.hpp"
#include "gateway/config/file.hpp"
#include "gateway/core/json.hpp"

#include <iostream>
#include <string>

namespace {

using namespace gateway;

json::object checked(const std::string& file, const ProfileSet& profiles)
{
    Mistakes mistakes;
    json::array dictionaries;
    const auto text = read_file(file, std::size_t{1} << 20);
    if (!text) {
        mistakes.add({.file = file}, {}, text.error().message());
    } else if (file.ends_with(".site.toml")) {
        const auto site = parse_site(*text, file, mistakes);
        for (auto& device : gateway::bind(site, profiles, mistakes)) {
            device.index = static_cast<std::uint16_t>(dictionaries.size() + 1);
            dictionaries.emplace_back(dictionary_json(site, device, {}));
        }
    } else {
        parse_profile(*text, file, mistakes);
    }
    json::array lines(mistakes.lines().begin(), mistakes.lines().end());
    return {{"file", file}, {"mistakes", lines}, {"dictionaries", dictionaries}};
}

}  // namespace

int main(int count, char** arguments)
{
    Mistakes of_profiles;
    const auto profiles = load_profiles({count > 1 ? arguments[1] : "."}, of_profiles);
    for (int i = 2; i < count; ++i) {
        std::cout << checked(arguments[i], profiles) << '\n';
    }
    return 0;
}
