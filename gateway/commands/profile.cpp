#include "drivers/registry.hpp"
#include "gateway/commands/asking.hpp"
#include "gateway/commands/commands.hpp"
#include "gateway/commands/profile_find.hpp"
#include "gateway/config/file.hpp"
#include "gateway/config/last_good.hpp"
#include "gateway/config/lint.hpp"
#include "gateway/config/toml.hpp"
#include "gateway/config/vocabulary.hpp"
#include "gateway/core/json.hpp"

#include <algorithm>
#include <cmath>
#include <iostream>

namespace gateway {

namespace {

using ProfilePtr = std::shared_ptr<const Profile>;

// The shipped profiles' folder and, when there is a site file, the site's.
std::vector<std::string> profile_folders(const CommandOptions& options)
{
    std::vector<std::string> folders{shipped_profiles()};
    Mistakes unread;
    if (const auto text = read_file(options.config, longest_document)) {
        const auto site = parse_site(*text, options.config, unread);
        if (!site.profiles_path.empty()) {
            folders.push_back(site.profiles_path);
        }
    }
    return folders;
}

ProfileSet known_profiles(const CommandOptions& options)
{
    Mistakes mistakes;
    auto profiles = load_profiles(profile_folders(options), mistakes);
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
            {"points", visible_points(profile)},
            {"sha256", profile.sha256},
            {"file", profile.file}};
}

std::int64_t milliseconds(Duration duration)
{
    return std::chrono::ceil<std::chrono::milliseconds>(duration).count();
}

std::string time_text(Duration duration)
{
    const bool seconds = duration % std::chrono::seconds(1) == Duration::zero();
    const auto number = seconds ? std::chrono::duration_cast<std::chrono::seconds>(duration).count()
                                : milliseconds(duration);
    return std::to_string(number) + (seconds ? " s" : " ms");
}

json::object whole(const Profile& profile)
{
    auto object = summary(profile);
    json::array points;
    for (const auto& point : profile.points) {
        if (!point.hidden) {
            points.push_back({{"id", point.id},
                              {"title", point.title},
                              {"unit", point.unit},
                              {"lane", to_string(point.lane)},
                              {"poll_ms", milliseconds(point.poll)}});
        }
    }
    json::array alarms;
    for (const auto& alarm : profile.alarms) {
        alarms.push_back({{"id", alarm.id},
                          {"severity", alarm.severity},
                          {"point", alarm.point},
                          {"text", alarm.text}});
    }
    json::array requests;
    for (const auto& request : describe_plan(profile)) {
        requests.push_back({{"text", request.text},
                            {"poll_ms", milliseconds(request.poll)},
                            {"bytes", request.bytes},
                            {"on_serial_line_ms", milliseconds(request.on_serial_line)}});
    }
    object["points"] = std::move(points);
    object["alarms"] = std::move(alarms);
    object["requests"] = std::move(requests);
    return object;
}

/// What was not checked, in words; empty: nothing.
std::string lint_file(const std::string& file, Mistakes& mistakes)
{
    const auto text = read_file(file, longest_document);
    if (!text) {
        mistakes.add({file}, {}, "cannot be read: " + text.error().message());
        return {};
    }
    const auto profile = parse_profile(*text, file, mistakes);
    if (mistakes.empty()) {
        lint(profile, *text, mistakes);
    }
    if (!has_driver(profile.driver)) {
        return "this release has no driver \"" + profile.driver +
               "\": what only it can see was not checked";
    }
    if (mistakes.empty()) {
        check_driver_part(profile, mistakes);
    }
    return {};
}

void show_requests(const Profile& profile)
{
    std::cout << "\nRequests\n";
    double bytes = 0;
    double line = 0;
    double count = 0;
    for (const auto& request : describe_plan(profile)) {
        std::cout << "  ";
        if (request.poll > Duration::zero()) {
            std::cout << "every " << time_text(request.poll) << ": ";
        }
        std::cout << request.text;
        if (request.bytes > 0) {
            std::cout << ", " << request.bytes << " bytes";
        }
        if (request.on_serial_line > Duration::zero()) {
            std::cout << ", " << time_text(request.on_serial_line) << " on a serial line";
        }
        std::cout << "\n";
        if (request.poll <= Duration::zero()) {
            continue;
        }
        const auto per_hour = std::chrono::duration<double>(std::chrono::hours(1)) / request.poll;
        count += per_hour;
        bytes += per_hour * static_cast<double>(request.bytes);
        line += per_hour * std::chrono::duration<double>(request.on_serial_line).count();
    }
    std::cout << "In an hour " << std::llround(count) << " requests, " << std::llround(bytes)
              << " bytes";
    if (line > 0) {
        std::cout << ", " << std::llround(line) << " seconds on a serial line";
    }
    std::cout << "\n";
}

}  // namespace

int profile_list(const CommandOptions& options, const std::string& word)
{
    unsigned found = 0;
    std::vector<Award> awards;
    for (const auto& folder : profile_folders(options)) {
        const auto more = read_awards(folder + "/catalogue.toml");
        awards.insert(awards.end(), more.begin(), more.end());
    }
    for (const auto& [id, profile] : known_profiles(options)) {
        if (!word.empty() && !mentions(*profile, awards, word)) {
            continue;
        }
        ++found;
        if (options.json) {
            std::cout << json::serialize(summary(*profile)) << "\n";
            continue;
        }
        std::cout << id << "  " << profile->version << (profile->final ? "" : "  (draft)")
                  << "\n    " << profile->vendor << " " << models_of(*profile) << ": "
                  << profile->title << "; " << profile->driver << ", " << visible_points(*profile)
                  << " points\n";
        if (!word.empty()) {
            for (const auto& award : awards) {
                if (award.profile == id) {
                    std::cout << "    contract " << award.contract << ", line " << award.line
                              << ": " << award.sku << ", " << award.title << "\n";
                }
            }
            std::cout << lines_to_paste(*profile);
        }
    }
    if (found == 0) {
        return refuse("no profile" + (word.empty() ? "" : " mentions \"" + word + "\""));
    }
    return 0;
}

int profile_show(const CommandOptions& options, const std::string& name)
{
    const auto profile = profile_of(options, name);
    if (options.json) {
        std::cout << json::serialize(whole(*profile)) << "\n";
        return 0;
    }
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
        if (point.hidden) {
            continue;
        }
        std::cout << "  " << point.id << std::string(widest - point.id.size(), ' ') << "  every "
                  << time_text(point.poll) << "  " << to_string(point.lane) << "  "
                  << (point.unit.empty() ? "-" : point.unit) << "  " << point.title << "\n";
    }
    for (const auto& alarm : profile->alarms) {
        std::cout << "  alarm " << alarm.id << " (" << alarm.severity << ") on " << alarm.point
                  << ": " << alarm.text << "\n";
    }
    show_requests(*profile);
    return 0;
}

int profile_lint(const CommandOptions& options, const std::vector<std::string>& files)
{
    Mistakes all;
    for (const auto& file : files) {
        Mistakes mistakes;
        const auto note = lint_file(file, mistakes);
        if (options.json) {
            const auto& lines = mistakes.lines();
            const json::object answer{{"file", file},
                                      {"ok", mistakes.empty()},
                                      {"mistakes", json::array(lines.begin(), lines.end())},
                                      {"note", note}};
            std::cout << json::serialize(answer) << "\n";
        } else if (mistakes.empty()) {
            std::cout << file << ": no mistakes\n" << (note.empty() ? "" : "  " + note + "\n");
        }
        all.add(mistakes);
    }
    std::cerr << (options.json ? "" : all.text());
    return all.empty() ? 0 : 1;
}

int profile_test(const CommandOptions& options, const std::vector<std::string>& profiles)
{
    bool all_well = true;
    for (const auto& name : profiles) {
        const auto profile = profile_of(options, name);
        const auto differences = run_examples(*profile);
        std::size_t expected = 0;
        for (const auto& example : profile->examples) {
            expected += example.expect.size();
        }
        const bool well = differences.empty() && expected > 0;
        all_well = all_well && well;
        if (options.json) {
            const json::array told(differences.begin(), differences.end());
            const json::object answer{{"profile", name},
                                      {"ok", well},
                                      {"examples", profile->examples.size()},
                                      {"readings", expected},
                                      {"differences", told}};
            std::cout << json::serialize(answer) << "\n";
            continue;
        }
        for (const auto& difference : differences) {
            std::cerr << difference << "\n";
        }
        if (expected == 0) {
            std::cerr << name << ": has no [[example]] to test\n";
        } else {
            std::cout << name << ": " << profile->examples.size() << " examples, "
                      << expected - std::min(expected, differences.size()) << " of " << expected
                      << " readings as expected\n";
        }
    }
    return all_well ? 0 : 1;
}

}  // namespace gateway
