#pragma once

#include "gateway/config/binding.hpp"
#include "gateway/core/result.hpp"

#include <stdexcept>
#include <string>
#include <vector>

namespace gateway {

/// No usable configuration: exit code 78. The text names every mistake.
class ConfigError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// A site file with everything it needs, bound.
struct Configuration {
    Site site;
    ProfileSet profiles;
    std::vector<DeviceConfig> devices;
    std::string text;           ///< of the site file, exact bytes
    Mistakes profile_mistakes;  ///< files left out; no device needs them
};

/// The profiles that belong to the program; SMART_GATEWAY_PROFILES replaces the installed folder.
std::string shipped_profiles();

/// Reads and binds `path`; `mistakes` empty: it may be used. The site's own profiles come after
/// those of the `shipped` folder.
Configuration check_site(const std::string& path, const std::string& shipped, Mistakes& mistakes);

struct LoadedSite {
    Configuration configuration;
    std::string source = "current";  ///< or "last-good"
    std::string problem;             ///< why it is not the current one; empty when it is
};

/// The site file, or, when it is bad or on trial, the last good one under `state_folder`/last-good,
/// which a good file and the profiles it uses are copied to. Throws ConfigError when there is
/// neither.
LoadedSite load_site(const std::string& path, const std::string& shipped,
                     const std::string& state_folder);

/// Until the trial has ended well a site file with this hash is not loaded where there is a last
/// good one: not after a restart either.
Status begin_trial(const std::string& state_folder, const std::string& hash);
void end_trial(const std::string& state_folder);

}  // namespace gateway
