#include "gateway/admin/control.hpp"
#include "gateway/app/bus_scan.hpp"
#include "gateway/commands/asking.hpp"
#include "gateway/commands/bench.hpp"
#include "gateway/commands/commands.hpp"
#include "gateway/commands/terminal.hpp"
#include "gateway/config/last_good.hpp"

#include <boost/asio/co_spawn.hpp>

#include <iostream>

namespace gateway {

namespace asio = boost::asio;

namespace {

std::string unit_line(const json::object& unit)
{
    auto line = "  unit " + std::to_string(integer_of(unit, "unit")) + ": ";
    if (const auto trouble = text_of(unit, "trouble"); !trouble.empty()) {
        return line + painted(Colour::red, trouble);
    }
    const auto says = text_of(unit, "says");
    line += says.empty() ? "answers, and does not say what it is" : std::string(says);
    if (list_of(unit, "profiles").empty()) {
        line += "; no profile fits: smart-gateway profile find WORD";
    }
    return line;
}

/// As one word of a shell.
std::string pasted(std::string connect)
{
    return connect.find_first_of(" \"") == std::string::npos ? connect : "'" + connect + "'";
}

void print_report(const std::string& bus, const json::object& report)
{
    const auto& units = list_of(report, "units");
    std::cout << units.size() << (units.size() == 1 ? " unit answers" : " units answer") << " on "
              << bus << ".\n";
    const auto* ignores = report.if_contains("ignores_numbers");
    if (ignores != nullptr && ignores->is_bool() && ignores->get_bool()) {
        std::cout << "It answers to every number: one device that does not look at it.\n";
    }
    for (const auto& entry : units) {
        const auto* unit = entry.if_object();
        if (unit == nullptr) {
            continue;
        }
        std::cout << unit_line(*unit) << "\n";
        for (const auto& profile : list_of(*unit, "profiles")) {
            std::cout << "    smart-gateway add --profile " << std::string_view(profile.as_string())
                      << " --connect "
                      << pasted(bus_as_connect(bus) +
                                ",unit=" + std::to_string(integer_of(*unit, "unit")))
                      << " --id NAME --write\n";
        }
    }
    if (const auto problem = text_of(report, "problem"); !problem.empty()) {
        std::cout << painted(Colour::yellow, "The scan ended early") << ": " << problem << "\n";
    }
}

ProfileSet profiles_at_hand(const CommandOptions& options)
{
    Mistakes ignored;  // a box that has no site file yet is scanned too
    auto profiles = check_site(options.config, shipped_profiles(), ignored).profiles;
    return profiles.empty() ? load_profiles({shipped_profiles()}, ignored) : profiles;
}

json::object scan_directly(const CommandOptions& options, const ScanOptions& what)
{
    Mistakes mistakes;
    auto request = scan_request(what.bus, mistakes);
    request.first = what.first;
    request.last = what.last;
    if (!mistakes.empty()) {
        throw ConfigError(mistakes.text());
    }
    Bench bench(options.config);
    Progress progress;
    ScanStep step = [&progress](std::string text) -> asio::awaitable<bool> {
        progress.say(text);
        co_return true;
    };
    std::optional<ScanReport> report;
    asio::co_spawn(
        bench.io,
        scan_bus(std::move(request), bench.context(), profiles_at_hand(options), std::move(step)),
        [&report](std::exception_ptr thrown, ScanReport found) {
            if (thrown) {
                std::rethrow_exception(thrown);
            }
            report = std::move(found);
        });
    while (!report && bench.io.run_one() > 0) {
    }
    return report ? report->object() : json::object();
}

}  // namespace

int scan(const CommandOptions& options, const ScanOptions& what)
{
    json::object report;
    Status asked;
    {
        Progress progress;
        auto hear = [&](const json::object& line) {
            if (const auto text = text_of(line, "progress"); !text.empty()) {
                progress.say(text);
            } else {
                report = line;
            }
            return true;
        };
        asked = ask(options.socket(),
                    {{"command", "scan"},
                     {"bus", what.bus},
                     {"first", std::int64_t{what.first}},
                     {"last", std::int64_t{what.last}}},
                    hear);
    }
    if (!asked && asked.error() == Fault::not_found) {
        report = scan_directly(options, what);  // the lines are nobody's
    } else if (!asked) {
        explain(options, asked.error());
        return could_not_tell;
    }
    if (const auto code = refused(report)) {
        return *code;
    }
    if (options.json) {
        std::cout << json::serialize(report) << "\n";
    } else {
        print_report(what.bus, report);
    }
    return !is_well(report) ? could_not_tell : list_of(report, "units").empty() ? 1 : 0;
}

}  // namespace gateway
