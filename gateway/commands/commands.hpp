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
/// Why a device is as it is, and what went over its wire last; from the running service.
int why(const CommandOptions& options, const std::string& device);

struct MaintainOptions {
    std::string device, why;
    unsigned seconds = 3'600;
    bool end = false;
};
/// Somebody works at a device: until the end its readings count as suspect.
int maintain(const CommandOptions& options, const MaintainOptions& what);

struct ScanOptions {
    std::string bus;
    unsigned first = 1, last = 247;
};
/// Which Modbus units answer on a line or host, and which profiles fit: through the running
/// service, else directly.
int scan(const CommandOptions& options, const ScanOptions& what);

struct AddOptions {
    std::string profile, connect, id, name, set;
    bool write = false, untried = false;
};
/// The lines of the site file for one device more, checked with the rest of it; with `write` they
/// are appended, and the service reloaded.
int add_device(const CommandOptions& options, const AddOptions& what);

/// What a store holds; `path` is of a card, else the box's own, which a running service tells.
int store_info(const CommandOptions& options, const std::string& path);
/// The same from every row; with `verify` every reading is decoded, and 1 is the answer when
/// something is damaged or missing. Writes nothing.
int store_look(const CommandOptions& options, const std::string& path, bool verify);

struct ExportOptions {
    std::string path, out;
    bool csv = false;
};
int store_export(const CommandOptions& options, const ExportOptions& what);
/// Removes readings, keys and the last good site file, after it was said and agreed.
int wipe(const CommandOptions& options, const std::string& path, bool yes);
/// One file of text for support, without secrets; `out` empty: a name of its own.
int bundle(const CommandOptions& options, const std::string& out);

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
