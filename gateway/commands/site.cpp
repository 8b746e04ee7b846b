#include "drivers/registry.hpp"
#include "gateway/acquire/supervisor.hpp"
#include "gateway/admin/control.hpp"
#include "gateway/app/bus_scan.hpp"
#include "gateway/app/reading_row.hpp"
#include "gateway/app/status.hpp"
#include "gateway/commands/asking.hpp"
#include "gateway/commands/bench.hpp"
#include "gateway/commands/commands.hpp"
#include "gateway/config/file.hpp"
#include "gateway/config/last_good.hpp"

#include <boost/asio/co_spawn.hpp>

#include <iostream>
#include <optional>

namespace gateway {

namespace asio = boost::asio;

namespace {

constexpr int wrong_usage = 64;
constexpr int wrong_configuration = 78;

// A poll by hand is shown and not stored.
class Nowhere final : public Sink {
public:
    bool has_room() const override { return true; }
    asio::awaitable<void> wait_for_room() override { co_return; }
    void accept(Lane, std::span<const Reading>) override {}
    void count(Lane, const SlotCounts&) override {}
};

Configuration checked(const std::string& path)
{
    Mistakes mistakes;
    auto configuration = check_site(path, shipped_profiles(), mistakes);
    if (!mistakes.empty()) {
        throw ConfigError(mistakes.text());
    }
    return configuration;
}

int print_rows(const CommandOptions& options, const std::vector<ReadingRow>& rows)
{
    for (const auto& row : rows) {
        if (options.json) {
            std::cout << row.json_line() << "\n";
        }
    }
    if (!options.json) {
        std::cout << table(rows);
    }
    return 0;
}

// A device that no site file names, described as one so that the same checks apply.
DeviceConfig device_by_hand(const ReadOptions& what)
{
    const bool is_file = what.profile.ends_with(".toml");
    Mistakes mistakes;
    ProfileSet profiles;
    std::string id = what.profile;
    if (is_file) {
        const auto text = read_file(what.profile, 262'144);
        if (!text) {
            throw ConfigError(what.profile + ": " + text.error().message() + "\n");
        }
        auto profile =
            std::make_shared<const Profile>(parse_profile(*text, what.profile, mistakes));
        id = profile->id;
        profiles[id] = profile;
    } else {
        profiles = load_profiles({shipped_profiles()}, mistakes);
    }
    const auto site_text =
        "schema = \"smartstate.site/1\"\n[gateway]\nid = \"by-hand\"\norg = "
        "\"place-0000000\"\n[profiles]\ntrust = \"local\"\n"
        "[[device]]\nid = \"device\"\nprofile = \"" +
        id + "\"\nconnect = " + connect_as_toml(what.connect) + "\n";
    const auto site = parse_site(site_text, "--connect", mistakes);
    auto devices =
        mistakes.empty() ? gateway::bind(site, profiles, mistakes) : std::vector<DeviceConfig>();
    if (!mistakes.empty() || devices.empty()) {
        throw ConfigError(mistakes.text());
    }
    return std::move(devices.front());
}

// Through the service, to which the bus belongs. Nothing when none runs.
std::optional<int> read_by_service(const CommandOptions& options, const std::string& device)
{
    std::vector<ReadingRow> rows;
    std::string problem;
    auto keep = [&](const json::object& line) {
        if (line.contains("error")) {
            problem = text_of(line, "error");
        } else {
            rows.push_back(ReadingRow::from(line));
        }
        return true;
    };
    const auto asked = ask(options.socket(), {{"command", "read"}, {"device", device}}, keep);
    if (!asked && asked.error() == Fault::not_found) {
        return std::nullopt;
    }
    if (!asked || !problem.empty()) {
        return refuse(device + ": " + (problem.empty() ? asked.error().message() : problem));
    }
    return print_rows(options, rows);
}

}  // namespace

int read_directly(const CommandOptions& options, const DeviceConfig& device)
{
    Bench bench(options.config);
    Mistakes mistakes;
    auto driver = make_driver(device, bench.context(), mistakes);
    if (!driver) {
        throw ConfigError(mistakes.text());
    }
    Nowhere nowhere;
    SupervisorSettings settings{
        .identified = [](Identified) -> asio::awaitable<void> { co_return; },
        .event = [](const Event&) {}};
    Supervisor supervisor(device, std::move(driver), bench.clock, nowhere, std::move(settings));
    std::optional<Result<std::vector<Reading>>> outcome;
    auto keep = [&outcome](std::exception_ptr thrown, Result<std::vector<Reading>> readings) {
        if (thrown) {
            std::rethrow_exception(thrown);
        }
        outcome = std::move(readings);
    };
    asio::co_spawn(bench.io, supervisor.read_now(), keep);
    while (!outcome && bench.io.run_one() > 0) {
    }
    if (!outcome || !*outcome) {
        const auto target = get<std::string>(device.site.connect, "tcp", device.site.id);
        return refuse(target + ": " + (outcome ? outcome->error().message() : "no answer"));
    }
    std::vector<ReadingRow> rows;
    const auto wall = bench.clock.wall();
    for (const auto& reading : **outcome) {
        rows.push_back(describe(device, reading, bench.clock.now(), wall));
    }
    return print_rows(options, rows);
}

int check(const CommandOptions& options)
{
    Mistakes mistakes;
    const auto configuration = check_site(options.config, shipped_profiles(), mistakes);
    Bench bench(options.config);
    std::size_t points = 0;
    std::vector<const DeviceConfig*> devices;
    for (const auto& device : configuration.devices) {
        devices.push_back(&device);
        make_driver(device, bench.context(), mistakes);
        points += visible_points(*device.profile);
    }
    const auto advice = advice_for(configuration.site, devices, bench.clock.wall());
    if (options.json) {
        json::array lines(mistakes.lines().begin(), mistakes.lines().end());
        const json::array advised(advice.begin(), advice.end());
        std::cout << json::serialize(json::object{
                         {"ok", mistakes.empty()}, {"mistakes", lines}, {"advice", advised}})
                  << "\n";
    } else if (!mistakes.empty()) {
        std::cerr << mistakes.text();
    } else {
        std::cerr << configuration.profile_mistakes.text();
        std::cout << options.config << ": no mistakes; " << configuration.devices.size()
                  << (configuration.devices.size() == 1 ? " device, " : " devices, ") << points
                  << " points\n";
        for (const auto& line : advice) {
            std::cout << (&line == advice.data() ? "\nAdvice\n  - " : "  - ") << line << "\n";
        }
    }
    return mistakes.empty() ? 0 : wrong_configuration;
}

int read_device(const CommandOptions& options, const ReadOptions& what)
{
    if (!what.profile.empty()) {
        return read_directly(options, device_by_hand(what));
    }
    if (what.device.empty()) {
        std::cerr << "smart-gateway: read what? Give a device of the site file, or --profile and "
                     "--connect.\n";
        return wrong_usage;
    }
    if (const auto answered = read_by_service(options, what.device)) {
        return *answered;
    }
    for (const auto& device : checked(options.config).devices) {
        if (device.site.id == what.device) {
            return read_directly(options, device);
        }
    }
    return refuse(what.device + ": no such device in " + options.config);
}

}  // namespace gateway
