#include "drivers/registry.hpp"
#include "gateway/commands.hpp"
#include "gateway/config/file.hpp"
#include "gateway/config/last_good.hpp"
#include "gateway/config/lint.hpp"
#include "gateway/config/toml.hpp"
#include "gateway/config/vocabulary.hpp"
#include "gateway/core/json.hpp"

#include <algorithm>
#include <cctype>
#include <iostream>

namespace gateway {

namespace {

using ProfilePtr = std::shared_ptr<const Profile>;

// Shipped profiles and, when there is a site file, the site's.
ProfileSet known_profiles(const CommandOptions& options)
{
    Mistakes mistakes;
    std::vector<std::string> folders{shipped_profiles()};
    Mistakes unread;
    if (const auto text = read_file(options.config, longest_document)) {
        const auto site = parse_site(*text, options.config, unread);
        if (!site.profiles_path.empty()) {
            folders.push_back(site.profiles_path);
        }
    }
    auto profiles = load_profiles(folders, mistakes);
    std::cerr << mistakes.text();
    return profiles;
}

// A file when it looks like one, else an id.
ProfilePtr profile_of(const CommandOptions& options, const std::string& name)
{
    if (!name.ends_with(".toml")) {
        const auto profiles = known_profiles(options);
        const auto found = profiles.find(name);
        if (found == profiles.end()) {
            throw ConfigError(name + ": no such profile; see: smart-gateway profile list\n");
        }
        return found->second;
    }
    Mistakes mistakes;
    const auto text = read_file(name, longest_document);
    if (!text) {
        throw ConfigError(name + ": " + text.error().message() + "\n");
    }
    auto profile = std::make_shared<const Profile>(parse_profile(*text, name, mistakes));
    if (!mistakes.empty()) {
        throw ConfigError(mistakes.text());
    }
    return profile;
}

std::string lower(std::string text)
{
    std::ranges::transform(text, text.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

bool mentions(const Profile& profile, const std::string& word)
{
    const auto wanted = lower(word);
    std::vector<std::string> texts{profile.id, profile.title, profile.category, profile.vendor};
    texts.insert(texts.end(), profile.models.begin(), profile.models.end());
    return std::ranges::any_of(texts, [&](const std::string& text) {
        return lower(text).find(wanted) != std::string::npos;
    });
}

std::string models_of(const Profile& profile)
{
    std::string all;
    for (const auto& model : profile.models) {
        all += (all.empty() ? "" : ", ") + model;
    }
    return all;
}

json::object summary(const Profile& profile)
{
    json::array models(profile.models.begin(), profile.models.end());
    return {{"id", profile.id},
            {"version", profile.version},
            {"title", profile.title},
            {"vendor", profile.vendor},
            {"models", models},
            {"driver", profile.driver},
            {"status", profile.final ? "final" : "draft"},
            {"points", profile.points.size()},
            {"sha256", profile.sha256},
            {"file", profile.file}};
}

// The lines of a site file that connect such a device.
std::string lines_to_paste(const Profile& profile)
{
    const auto name = profile.id.substr(profile.id.rfind('.') + 1);
    const std::string connect =
        profile.driver == "modbus"      ? "{ tcp = \"192.0.2.1:502\", unit = 1 }"
        : profile.driver == "http_json" ? "{ url = \"http://192.0.2.1\" }"
        : profile.driver == "mqtt_json"
            ? "{ broker = \"mqtt://127.0.0.1:1883\", device = \"name-in-its-topic\" }"
            : "{ }";
    return "    [[device]]\n    id = \"" + name + "-1\"\n    profile = \"" + profile.id +
           "\"\n    connect = " + connect + "   # where it is\n";
}

std::string seconds_text(Duration duration)
{
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(duration).count()) +
           " s";
}

}  // namespace

std::string shipped_profiles()
{
    return schemas_folder() + "/profiles";
}

int profile_list(const CommandOptions& options, const std::string& word)
{
    unsigned found = 0;
    for (const auto& [id, profile] : known_profiles(options)) {
        if (!word.empty() && !mentions(*profile, word)) {
            continue;
        }
        ++found;
        if (options.json) {
            std::cout << json::serialize(summary(*profile)) << "\n";
            continue;
        }
        std::cout << id << "  " << profile->version << (profile->final ? "" : "  (draft)")
                  << "\n    " << profile->vendor << " " << models_of(*profile) << ": "
                  << profile->title << "; " << profile->driver << ", " << profile->points.size()
                  << " points\n";
        if (!word.empty()) {
            std::cout << lines_to_paste(*profile);
        }
    }
    if (found == 0) {
        std::cerr << "smart-gateway: no profile"
                  << (word.empty() ? "" : " mentions \"" + word + "\"") << "\n";
    }
    return found == 0 ? 1 : 0;
}

int profile_show(const CommandOptions& options, const std::string& name)
{
    const auto profile = profile_of(options, name);
    std::cout << profile->id << " " << profile->version << (profile->final ? "" : " (draft)")
              << "\n"
              << profile->title << "\n"
              << profile->vendor << ": " << models_of(*profile) << "\n"
              << "SHA-256 " << profile->sha256 << "\n\n";
    std::size_t widest = 0;
    for (const auto& point : profile->points) {
        widest = std::max(widest, point.id.size());
    }
    for (const auto& point : profile->points) {
        std::cout << "  " << point.id << std::string(widest - point.id.size(), ' ') << "  every "
                  << seconds_text(point.poll) << "  " << to_string(point.lane) << "  "
                  << (point.unit.empty() ? "-" : point.unit) << "  " << point.title << "\n";
    }
    for (const auto& alarm : profile->alarms) {
        std::cout << "  alarm " << alarm.id << " (" << alarm.severity << ") on " << alarm.point
                  << ": " << alarm.text << "\n";
    }
    std::cout << "\nRequests\n";
    for (const auto& request : describe_plan(*profile)) {
        std::cout << "  ";
        if (request.poll > Duration::zero()) {
            std::cout << "every " << seconds_text(request.poll) << ": ";
        }
        std::cout << request.text;
        if (request.bytes > 0) {
            std::cout << ", " << request.bytes << " bytes";
        }
        if (request.on_serial_line > Duration::zero()) {
            std::cout << ", "
                      << std::chrono::duration_cast<std::chrono::milliseconds>(
                             request.on_serial_line)
                             .count()
                      << " ms on a serial line";
        }
        std::cout << "\n";
    }
    return 0;
}

int profile_lint(const CommandOptions&, const std::vector<std::string>& files)
{
    Mistakes all;
    for (const auto& file : files) {
        const auto text = read_file(file, longest_document);
        if (!text) {
            all.add({file}, {}, "cannot be read: " + text.error().message());
            continue;
        }
        Mistakes mistakes;
        const auto profile = parse_profile(*text, file, mistakes);
        if (mistakes.empty()) {
            lint(profile, mistakes);
            check_driver_part(profile, mistakes);
        }
        if (mistakes.empty()) {
            std::cout << file << ": no mistakes\n";
        }
        all.add(mistakes);
    }
    std::cerr << all.text();
    return all.empty() ? 0 : 1;
}

int profile_test(const CommandOptions& options, const std::vector<std::string>& profiles)
{
    bool all_well = true;
    for (const auto& name : profiles) {
        const auto profile = profile_of(options, name);
        const auto differences = run_examples(*profile);
        for (const auto& difference : differences) {
            std::cerr << difference << "\n";
        }
        std::size_t expected = 0;
        for (const auto& example : profile->examples) {
            expected += example.expect.size();
        }
        if (expected == 0) {
            std::cerr << name << ": has no [[example]] to test\n";
        } else {
            std::cout << name << ": " << profile->examples.size() << " examples, "
                      << expected - std::min(expected, differences.size()) << " of " << expected
                      << " readings as expected\n";
        }
        all_well = all_well && differences.empty() && expected > 0;
    }
    return all_well ? 0 : 1;
}

}  // namespace gateway
