#pragma once

#include <string>
#include <vector>

namespace gateway {

/// What every command shares. Commands print to standard output and return the exit code: 0 done, 1
/// the answer is no, 2 could not tell; wrong configuration throws ConfigError (78).
struct CommandOptions {
    std::string config = "/etc/smart-gateway/gateway.toml";
    std::string runtime = "/run/smart-gateway";
    bool json = false;

    std::string socket() const { return runtime + "/control.sock"; }
};

/// The profiles that belong to the program; SMART_GATEWAY_PROFILES replaces the installed folder.
std::string shipped_profiles();

/// Does what `run` does up to the first I/O and says what it found.
int check(const CommandOptions& options);

struct ReadOptions {
    std::string device;            ///< of the site file, or
    std::string profile, connect;  ///< a profile (id or file) and how to reach the device
};
/// One poll of one device: through the running service, else directly.
int read_device(const CommandOptions& options, const ReadOptions& what);

/// The state of the box in words. `wait_seconds`: asks again until all is well or the time is over.
int status(const CommandOptions& options, unsigned wait_seconds);
/// Readings as they are accepted, until interrupted; `count` > 0: that many.
int tail(const CommandOptions& options, unsigned count);
/// `confirm_seconds` > 0: the change is taken back unless the platform is reached with it.
int reload(const CommandOptions& options, unsigned confirm_seconds);

struct EnrollOptions {
    std::string out;          ///< where the request goes; empty: standard output
    std::string certificate;  ///< a file to install; empty: print the request
};
/// The request for the box's certificate, or the certificate that was made of it.
int enroll(const CommandOptions& options, const EnrollOptions& what);

int profile_list(const CommandOptions& options, const std::string& word);  ///< empty word: all
/// A commented profile of a device of this category that lints.
int profile_new(const std::string& category, const std::string& driver);
int profile_show(const CommandOptions& options, const std::string& profile);
int profile_lint(const CommandOptions& options, const std::vector<std::string>& files);
int profile_test(const CommandOptions& options, const std::vector<std::string>& profiles);

}  // namespace gateway
