#include "gateway/app/machine_advice.hpp"

#include "gateway/config/file.hpp"
#include "gateway/config/literal.hpp"
#include "gateway/uplink/utc.hpp"

#include <arpa/inet.h>
#include <sys/stat.h>

#include <array>
#include <filesystem>
#include <optional>
#include <set>

namespace gateway {

namespace {

constexpr unsigned others = S_IRWXG | S_IRWXO;

// The bits of the mode; nothing when the file is not there or may not be looked at.
std::optional<unsigned> mode_of(const std::string& path)
{
    struct stat state {};
    return ::stat(path.c_str(), &state) == 0 ? std::optional<unsigned>(state.st_mode)
                                             : std::nullopt;
}

std::string os_release(std::string_view key)
{
    const auto file = read_file("/etc/os-release", 16'384);
    const auto text = file ? *file : std::string();
    const auto wanted = "\n" + std::string(key) + "=";
    const auto at = ("\n" + text).find(wanted);
    if (at == std::string::npos) {
        return {};
    }
    auto value = text.substr(at + wanted.size() - 1);
    value = value.substr(0, value.find('\n'));
    if (value.size() >= 2 && value.front() == '"') {
        value = value.substr(1, value.size() - 2);
    }
    return value;
}

void add_file_advice(const Site& site, std::vector<std::string>& advice)
{
    if (const auto mode = mode_of(site.file); mode && (*mode & S_IWOTH) != 0) {
        advice.push_back("Anybody on this machine may change the site file: chmod o-w " +
                         site.file);
    }
    std::set<std::string> names;
    if (!site.uplink.password_secret.empty()) {
        names.insert(site.uplink.password_secret);
    }
    for (const auto& device : site.devices) {
        if (!device.secret.empty()) {
            names.insert(device.secret);
        }
    }
    std::vector<std::string> files;
    files.reserve(names.size() + 1);
    const auto folder = std::filesystem::path(site.file).parent_path() / "secrets";
    for (const auto& name : names) {
        files.push_back((folder / name).string());
    }
    if (!site.uplink.key.empty()) {
        files.push_back(site.uplink.key);
    }
    for (const auto& file : files) {
        if (const auto mode = mode_of(file); mode && (*mode & others) != 0) {
            advice.push_back("Others than its owner may read a secret: chmod 600 " + file);
        }
    }
}

void add_clock_advice(const Site& site, const ClockReading& clock, std::vector<std::string>& advice)
{
    constexpr std::uint32_t far_off_ms = 1'000;
    if (site.trusts_clock) {
        advice.emplace_back(
            "clock = \"trusted\": the time of this machine is believed without proof that a time "
            "server set it.");
    } else if (clock.state == ClockState::holdover) {
        advice.emplace_back(
            "No time server has been heard for a while, and the clock drifts: check that one can "
            "be reached.");
    } else if (clock.state == ClockState::synced && clock.error_ms > far_off_ms &&
               clock.error_ms != ClockReading{}.error_ms) {
        advice.push_back("The clock may be wrong by " + std::to_string(clock.error_ms) +
                         " ms: use a time server that is nearer.");
    }
}

// An address that the whole Internet may route to.
bool is_public(const std::string& host)
{
    in_addr address{};
    if (::inet_pton(AF_INET, host.c_str(), &address) != 1) {
        return false;  // a name, or IPv6: not known
    }
    const auto number = ntohl(address.s_addr);
    struct Net {
        std::uint32_t base, mask;
    };
    constexpr std::array private_nets{Net{0x0A000000, 0xFF000000}, Net{0xAC100000, 0xFFF00000},
                                      Net{0xC0A80000, 0xFFFF0000}, Net{0x7F000000, 0xFF000000},
                                      Net{0xA9FE0000, 0xFFFF0000}, Net{0x64400000, 0xFFC00000}};
    for (const auto& net : private_nets) {
        if ((number & net.mask) == net.base) {
            return false;
        }
    }
    return true;
}

void add_device_advice(const Site& site, const ClockReading& clock,
                       std::vector<std::string>& advice)
{
    constexpr std::size_t date_length = 10;
    const auto today = clock.state == ClockState::unset
                           ? std::string()
                           : utc_text(clock.wall).substr(0, date_length);
    for (const auto& device : site.devices) {
        for (const auto* key : {"tcp", "rtu_over_tcp"}) {
            const auto target = parse_host_port(get(device.connect, key, std::string()));
            if (target && is_public(target->host)) {
                advice.push_back(device.id + " is reached at the public address " + target->host +
                                 ": put it behind a tunnel, its protocol protects nothing.");
            }
        }
        if (!device.exception_until.empty() && !today.empty() && device.exception_until < today) {
            advice.push_back("The exception for " + device.id + " ended on " +
                             device.exception_until + " (" + device.exception_why + ", " +
                             device.exception_by + "): protect its link, or renew it.");
        }
    }
}

}  // namespace

std::string os_name()
{
    const auto name = os_release("PRETTY_NAME");
    return name.empty() ? "unknown" : name;
}

std::vector<std::string> machine_advice(const Site& site, const ClockReading& clock)
{
    std::vector<std::string> advice;
    add_file_advice(site, advice);
    add_clock_advice(site, clock, advice);
    add_device_advice(site, clock, advice);
    static const auto version = os_release("VERSION_ID");
    constexpr std::string_view made_for = "12";
    if (!version.empty() && version != made_for) {
        advice.push_back("This release is made for Debian 12 and runs on " + os_name() +
                         ": use the release for that system, so that it gets its security fixes.");
    }
    return advice;
}

}  // namespace gateway
