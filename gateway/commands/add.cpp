// A device more in the site file: tried, checked with all the rest, appended in one step.
#include "gateway/app/bus_scan.hpp"
#include "gateway/commands/asking.hpp"
#include "gateway/commands/bench.hpp"
#include "gateway/commands/commands.hpp"
#include "gateway/config/file.hpp"
#include "gateway/config/last_good.hpp"
#include "gateway/config/toml.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <iostream>

namespace gateway {

namespace {

// As a TOML string.
std::string toml_text(const std::string& text)
{
    std::string out = "\"";
    for (const char c : text) {
        out += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    }
    return out + '"';
}

std::string lines_of(const AddOptions& what)
{
    auto text = "[[device]]\nid      = " + toml_text(what.id) + "\n";
    if (!what.name.empty()) {
        text += "name    = " + toml_text(what.name) + "\n";
    }
    text += "profile = " + toml_text(what.profile) +
            "\nconnect = " + connect_as_toml(what.connect) + "\n";
    if (!what.set.empty()) {
        text += "set     = " + connect_as_toml(what.set) + "\n";
    }
    return text;
}

// The device in the site file as it would be; throws ConfigError with every mistake of the file.
DeviceConfig checked_device(const CommandOptions& options, const std::string& text,
                            const std::string& id)
{
    Mistakes mistakes, others;
    const auto site = parse_site(text, options.config, mistakes);
    std::vector<std::string> folders{shipped_profiles()};
    if (!site.profiles_path.empty()) {
        folders.push_back(site.profiles_path);
    }
    const auto profiles = load_profiles(folders, others);
    const auto devices = gateway::bind(site, profiles, mistakes);
    Bench bench(options.config);
    std::vector<std::unique_ptr<Driver>> drivers;  // together: devices of one line must agree
    drivers.reserve(devices.size());
    for (const auto& device : devices) {
        drivers.push_back(make_driver(device, bench.context(), mistakes));
    }
    if (!mistakes.empty()) {
        throw ConfigError("nothing was written:\n" + mistakes.text());
    }
    for (const auto& device : devices) {
        if (device.site.id == id) {
            return device;
        }
    }
    throw ConfigError("nothing was written: the device is not among those of the file\n");
}

// The owner and the mode stay: the service must read it after root has written it.
Status replace_site(const std::string& path, const std::string& text)
{
    struct stat before {};
    const bool known = ::stat(path.c_str(), &before) == 0;
    constexpr unsigned permissions = 0777;
    auto replaced = replace_file(path, text, known ? before.st_mode & permissions : 0640);
    if (replaced && known &&
        (::chown(path.c_str(), before.st_uid, before.st_gid) != 0 ||
         ::chmod(path.c_str(), before.st_mode & permissions) != 0)) {
        return Error(errno, boost::system::system_category());
    }
    return replaced;
}

}  // namespace

int add_device(const CommandOptions& options, const AddOptions& what)
{
    const auto lines = lines_of(what);
    const auto before = read_file(options.config, longest_document);
    if (!before) {
        return refuse(options.config + ": " + before.error().message());
    }
    const auto text =
        *before + (before->ends_with('\n') || before->empty() ? "\n" : "\n\n") + lines;
    const auto device = checked_device(options, text, what.id);
    if (!what.write) {
        std::cout << lines;
        std::cerr << "These lines fit into " << options.config
                  << ". Append them by yourself, or with --write.\n";
        return 0;
    }
    const bool runs = ask_once(options, {{"command", "status"}}, true).has_value();
    const bool serial = what.connect.find("serial") != std::string::npos;
    // A serial line is the running service's; the device is tried there, after the reload.
    if (!what.untried && !(serial && runs) && read_directly(options, device) != 0) {
        return refuse("nothing was written. To add it all the same: --untried");
    }
    if (const auto written = replace_site(options.config, text); !written) {
        return refuse(options.config + " cannot be written: " + written.error().message());
    }
    std::cout << what.id << " is in " << options.config << ".\n";
    if (!runs) {
        std::cout << "The service reads it when it is started: systemctl start smart-gateway\n";
        return 0;
    }
    return reload(options, 0);
}

}  // namespace gateway
