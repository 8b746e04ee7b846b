#include "gateway/commands/cli.hpp"

#include "gateway/app/app.hpp"
#include "gateway/commands/commands.hpp"
#include "gateway/config/last_good.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>

namespace gateway {

namespace {

enum ExitCode : int { usage = 64, other = 70, configuration = 78 };

std::string default_runtime()
{
    const char* given =
        std::getenv("RUNTIME_DIRECTORY");  // NOLINT(concurrency-mt-unsafe): before any thread
    return given == nullptr ? "/run/smart-gateway" : given;
}

// The commands and what they were given; `chosen` is the one to run.
struct CommandLine {
    CLI::App app{
        "Reads municipal sensors, keeps every reading safe, and forwards it to the state platform.",
        "smart-gateway"};
    CommandOptions options{.runtime = default_runtime()};
    ReadOptions read;
    EnrollOptions enroll;
    MaintainOptions maintain;
    ScanOptions scan;
    AddOptions add_options;
    ExportOptions exporting;
    bool yes = false;
    std::string word, profile, category, driver;
    std::vector<std::string> files;
    std::string wait, confirm, length = "1h", units;
    unsigned count = 0;
    std::function<int()> chosen;

    CLI::App* add(CLI::App& parent, const std::string& name, const std::string& what,
                  std::function<int()> command)
    {
        auto* made = parent.add_subcommand(name, what);
        made->callback([this, command = std::move(command)] { chosen = command; });
        made->add_option("--config", options.config, "the site file")->capture_default_str();
        return made;
    }
    void with_runtime(CLI::App* command)
    {
        command
            ->add_option("--runtime", options.runtime, "where the control socket and the spool are")
            ->capture_default_str();
    }
    void with_json(CLI::App* command)
    {
        command->add_flag("--json", options.json, "print JSON instead of a table");
    }
};

// "90", "90s", "10m", "2h" in seconds; CLI11 reports the mistake.
unsigned seconds_of(const std::string& text)
{
    std::size_t used = 0;
    const auto number = std::stoul(text, &used);
    const auto unit = text.substr(used);
    const unsigned long factor = unit.empty() || unit == "s" ? 1
                                 : unit == "m"               ? 60
                                 : unit == "h"               ? 3600
                                                             : 0;
    if (factor == 0 || number > 86'400) {
        throw std::invalid_argument(text);
    }
    return static_cast<unsigned>(number * factor);
}

std::string check_wait(const std::string& text)
{
    try {
        seconds_of(text);
        return {};
    } catch (const std::exception&) {
        return "\"" + text + "\" is not a time; write for example 10m";
    }
}

void add_box_commands(CommandLine& line)
{
    auto& app = line.app;
    line.with_runtime(line.add(app, "run", "run the gateway until it is told to stop", [&line] {
        return run_gateway({.config = line.options.config, .runtime = line.options.runtime});
    }));
    auto* check_command =
        line.add(app, "check", "check the site file and its profiles, touching no device",
                 [&line] { return check(line.options); });
    line.with_json(check_command);

    auto* read = line.add(app, "read", "poll one device once and show its readings",
                          [&line] { return read_device(line.options, line.read); });
    auto* device = read->add_option("device", line.read.device, "its id in the site file");
    auto* profile = read->add_option("--profile", line.read.profile, "a profile, by id or file")
                        ->excludes(device);
    read->add_option("--connect", line.read.connect, "how to reach it: tcp=10.0.0.5:502,unit=1")
        ->needs(profile);
    line.with_runtime(read);
    line.with_json(read);

    auto* status_command = line.add(
        app, "status", "say whether all is well, and if not what to try",
        [&line] { return status(line.options, line.wait.empty() ? 0 : seconds_of(line.wait)); });
    status_command->add_option("--wait", line.wait, "ask again for so long, until all is well: 10m")
        ->check(check_wait, "TIME");
    line.with_runtime(status_command);
    line.with_json(status_command);

    auto* tail_command = line.add(app, "tail", "show readings as they are accepted",
                                  [&line] { return tail(line.options, line.count); });
    tail_command->add_option("--count,-n", line.count, "end after so many");
    line.with_runtime(tail_command);
    line.with_json(tail_command);

    auto* reload_command =
        line.add(app, "reload", "apply the changed site file; a bad one changes nothing", [&line] {
            return reload(line.options, line.confirm.empty() ? 0 : seconds_of(line.confirm));
        });
    reload_command
        ->add_option("--confirm", line.confirm,
                     "take it back unless the platform is reached with it in this time: 5m")
        ->check(check_wait, "TIME");
    line.with_runtime(reload_command);
    line.with_json(reload_command);
}

void add_device_commands(CommandLine& line)
{
    auto* why_command = line.add(line.app, "why", "say why a device is as it is, and what to try",
                                 [&line] { return why(line.options, line.maintain.device); });
    why_command->add_option("device", line.maintain.device, "its id in the site file")->required();
    line.with_runtime(why_command);
    line.with_json(why_command);

    auto* made =
        line.add(line.app, "maintain",
                 "say that somebody works at a device: its readings count as suspect", [&line] {
                     line.maintain.seconds = seconds_of(line.length);
                     return maintain(line.options, line.maintain);
                 });
    made->add_option("device", line.maintain.device, "its id in the site file")->required();
    made->add_option("why", line.maintain.why, "what is done, as in \"cleaning\"");
    auto* length = made->add_option("--for", line.length, "how long at most: 45m, 2h")
                       ->check(check_wait, "TIME")
                       ->capture_default_str();
    made->add_flag("--end", line.maintain.end, "the work is over")->excludes(length);
    line.with_runtime(made);
}

// "1-32", "7"
std::string read_units(const std::string& text, ScanOptions& scan)
{
    constexpr unsigned highest = 247;
    unsigned first = 0, last = 0;
    char rest = 0;
    const int got = std::sscanf(text.c_str(), "%3u-%3u%c", &first, &last, &rest);
    last = got == 1 ? first : last;
    const bool plain = text.find_first_not_of("0123456789-") == std::string::npos;
    if ((got != 1 && got != 2) || !plain || first > last || last > highest) {
        return "\"" + text + "\" is no unit numbers from 0 to 247; write for example 1-32";
    }
    scan.first = first;
    scan.last = last;
    return {};
}

void add_finding_commands(CommandLine& line)
{
    auto* scan_command =
        line.add(line.app, "scan", "find the Modbus units of a line or host, and their profiles",
                 [&line] { return scan(line.options, line.scan); });
    scan_command
        ->add_option("bus", line.scan.bus,
                     "10.0.0.5, 10.0.0.5:502 or serial=/dev/serial/by-id/…,baud=9600,parity=even")
        ->required();
    scan_command->add_option("--units", line.units, "which numbers: 1-32")
        ->check([&line](const std::string& text) { return read_units(text, line.scan); }, "UNITS");
    line.with_runtime(scan_command);
    line.with_json(scan_command);

    auto& more = line.add_options;
    auto* add_command = line.add(line.app, "add", "one device more: its lines for the site file",
                                 [&line] { return add_device(line.options, line.add_options); });
    add_command->add_option("--profile", more.profile, "its profile's id")->required();
    add_command->add_option("--connect", more.connect, "as in tcp=10.0.0.5:502,unit=1")->required();
    add_command->add_option("--id", more.id, "what it is called in readings")->required();
    add_command->add_option("--name", more.name, "what people call it");
    add_command->add_option("--set", more.set, "its parameters: litres_per_pulse=10");
    add_command->add_flag("--write", more.write, "try it, append the lines, reload the service");
    add_command->add_flag("--untried", more.untried, "with --write: also when it does not answer");
    line.with_runtime(add_command);
}

void add_store_commands(CommandLine& line)
{
    auto* store = line.app.add_subcommand("store", "look at the readings that a box holds");
    store->require_subcommand(1);
    const auto with_path = [&line](CLI::App* command) {
        command->add_option("--path", line.exporting.path,
                            "a state directory, or the root of a mounted card");
    };
    auto* info = line.add(*store, "info", "what it holds, and what the platform has not confirmed",
                          [&line] { return store_info(line.options, line.exporting.path); });
    auto* verify =
        line.add(*store, "verify", "check every reading; 1: something is damaged or missing",
                 [&line] { return store_look(line.options, line.exporting.path, true); });
    auto* exported =
        line.add(*store, "export", "its readings, a line each, as the receiver writes them",
                 [&line] { return store_export(line.options, line.exporting); });
    exported->add_flag("--csv", line.exporting.csv, "a table for a spreadsheet instead of JSON");
    exported->add_option("--out", line.exporting.out, "write to this file");
    for (auto* command : {info, verify, exported}) {
        with_path(command);
        line.with_runtime(command);
    }
    line.with_json(info);
    line.with_json(verify);

    auto* wipe_command =
        line.add(line.app, "wipe", "remove readings, keys and the last good site file, for ever",
                 [&line] { return wipe(line.options, line.exporting.path, line.yes); });
    with_path(wipe_command);
    wipe_command->add_flag("--yes", line.yes, "do not ask");

    auto* bundle_command = line.add(line.app, "bundle", "one file for support, without secrets",
                                    [&line] { return bundle(line.options, line.exporting.out); });
    bundle_command->add_option("--out", line.exporting.out, "write to this file");
    line.with_runtime(bundle_command);
}

void add_enroll(CommandLine& line)
{
    auto* made = line.add(line.app, "enroll",
                          "print the request for the box's certificate; install what was signed",
                          [&line] { return enroll(line.options, line.enroll); });
    auto* certificate = made->add_option("--certificate", line.enroll.certificate,
                                         "the signed certificate: tried, then used (PEM)");
    made->add_option("--out", line.enroll.out, "write the request to this file")
        ->excludes(certificate);
    line.with_runtime(made);
}

void add_profile_commands(CommandLine& line)
{
    auto* profile = line.app.add_subcommand("profile", "look at and check device profiles");
    profile->require_subcommand(1);
    const auto with_files = [&line](CLI::App* command, const std::string& what) {
        command->add_option("profile", line.files, what)->required();
    };
    line.with_json(line.add(*profile, "list", "all profiles at hand",
                            [&line] { return profile_list(line.options, {}); }));
    auto* find =
        line.add(*profile, "find", "profiles by model, maker or word, with the lines to paste",
                 [&line] { return profile_list(line.options, line.word); });
    find->add_option("word", line.word, "a model, a maker, a word of the title")->required();
    line.with_json(find);
    auto* fresh = line.add(*profile, "new", "print a commented profile to begin with",
                           [&line] { return profile_new(line.category, line.driver); });
    fresh->add_option("--category", line.category, "what it is, as in water-meter")->required();
    fresh->add_option("--driver", line.driver, "how it speaks, as in modbus")->required();
    auto* show = line.add(*profile, "show", "what a profile reads, and in how many requests",
                          [&line] { return profile_show(line.options, line.profile); });
    show->add_option("profile", line.profile, "id or file")->required();
    auto* checked = line.add(*profile, "lint", "every mistake of a profile, with its place",
                             [&line] { return profile_lint(line.options, line.files); });
    with_files(checked, "profile files");
    auto* tested = line.add(*profile, "test", "run a profile's own examples",
                            [&line] { return profile_test(line.options, line.files); });
    with_files(tested, "ids or files");
    for (auto* command : {show, checked, tested}) {
        line.with_json(command);
    }
}

}  // namespace

int run_command_line(int argc, char** argv)
{
    CommandLine line;
    line.app.set_version_flag("--version", GATEWAY_VERSION);
    line.app.require_subcommand(1);
    add_box_commands(line);
    add_device_commands(line);
    add_finding_commands(line);
    add_store_commands(line);
    add_enroll(line);
    add_profile_commands(line);
    try {
        line.app.parse(argc, argv);
        return line.chosen();
    } catch (const CLI::ParseError& error) {
        return line.app.exit(error) == 0 ? 0 : usage;
    } catch (const ConfigError& error) {
        std::fputs(error.what(), stderr);
        return configuration;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "smart-gateway: %s\n", error.what());
        return other;
    }
}

}  // namespace gateway
