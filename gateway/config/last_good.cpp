#include "gateway/config/last_good.hpp"

#include "gateway/config/file.hpp"
#include "gateway/config/store_place.hpp"
#include "gateway/config/toml.hpp"
#include "gateway/config/vocabulary.hpp"
#include "gateway/core/ids.hpp"

#include <cstdlib>
#include <filesystem>
#include <set>

namespace gateway {

namespace {

constexpr std::string_view site_name = "/gateway.toml";
constexpr std::string_view trial_name = "/last-good/on-trial";  // holds a hash

void bind_with(Configuration& configuration, const std::vector<std::string>& folders,
               Mistakes& mistakes)
{
    configuration.profiles = load_profiles(folders, configuration.profile_mistakes);
    configuration.devices = gateway::bind(configuration.site, configuration.profiles, mistakes);
}

std::string kept_profile(const std::string& folder, const std::string& id)
{
    return folder + "/profiles/" + id + ".profile.toml";
}

/// Copies what `good` is made of: the profiles in use, then the site file.
Status keep(const Configuration& good, const std::string& folder)
{
    std::set<std::string> wanted;
    for (const auto& device : good.devices) {
        const auto& profile = *device.profile;
        if (!wanted.insert(profile.id).second) {
            continue;
        }
        const auto text = read_file(profile.file, longest_document);
        if (!text) {
            return text.error();
        }
        if (auto kept = replace_file(kept_profile(folder, profile.id), *text); !kept) {
            return kept;
        }
    }
    return replace_file(folder + std::string(site_name), good.text);
}

bool on_trial(const Site& site, const std::string& state_folder)
{
    const auto hash = read_file(state_folder + std::string(trial_name), 64);
    return hash && *hash == site.hash;
}

bool is_kept(const Configuration& good, const std::string& folder)
{
    const auto text = read_file(folder + std::string(site_name), longest_document);
    if (!text || *text != good.text) {
        return false;
    }
    for (const auto& device : good.devices) {
        const auto copy = read_file(kept_profile(folder, device.profile->id), longest_document);
        if (!copy || to_hex(sha256(*copy)) != device.profile->sha256) {
            return false;
        }
    }
    return true;
}

}  // namespace

std::string shipped_profiles()
{
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets it later
    const char* given = std::getenv("SMART_GATEWAY_PROFILES");
    return given != nullptr ? given : schemas_folder() + "/profiles";
}

Configuration check_site(const std::string& path, const std::string& shipped, Mistakes& mistakes)
{
    Configuration result;
    auto text = read_file(path, longest_document);
    if (!text) {
        mistakes.add({path}, {}, "cannot be read: " + text.error().message());
        return result;
    }
    result.site = parse_site(*text, path, mistakes);
    check_store_place(result.site, mistakes);
    result.text = std::move(*text);
    std::vector<std::string> folders{shipped};
    if (!result.site.profiles_path.empty()) {
        folders.push_back(result.site.profiles_path);
    }
    bind_with(result, folders, mistakes);
    return result;
}

LoadedSite load_site(const std::string& path, const std::string& shipped,
                     const std::string& state_folder)
{
    const auto folder = state_folder + "/last-good";
    Mistakes mistakes;
    LoadedSite loaded{.configuration = check_site(path, shipped, mistakes)};
    const bool tried = mistakes.empty() && on_trial(loaded.configuration.site, state_folder);
    if (tried) {
        mistakes.add({path}, {},
                     "did not reach the platform and was taken back; correct it, or use it all the "
                     "same: smart-gateway reload");
    }
    if (mistakes.empty()) {
        // Without a copy the box still runs; the next good start tries again.
        if (!is_kept(loaded.configuration, folder)) {
            static_cast<void>(keep(loaded.configuration, folder));
        }
        return loaded;
    }
    mistakes.add(loaded.configuration.profile_mistakes);
    auto text = read_file(folder + std::string(site_name), longest_document);
    if (!text && tried) {
        return loaded;
    }
    if (!text) {
        throw ConfigError(mistakes.text());
    }
    Mistakes older;
    loaded.configuration = {};
    // Named as the current file: relative paths start from there.
    loaded.configuration.site = parse_site(*text, path, older);
    loaded.configuration.text = std::move(*text);
    bind_with(loaded.configuration, {folder + "/profiles"}, older);
    if (!older.empty()) {
        throw ConfigError(mistakes.text());
    }
    loaded.source = "last-good";
    loaded.problem = mistakes.text();
    return loaded;
}

Status begin_trial(const std::string& state_folder, const std::string& hash)
{
    return replace_file(state_folder + std::string(trial_name), hash);
}

void end_trial(const std::string& state_folder)
{
    std::error_code none;
    std::filesystem::remove(state_folder + std::string(trial_name), none);
}

}  // namespace gateway
