#include "gateway/app/bus_scan.hpp"

#include "drivers/modbus/client.hpp"
#include "drivers/modbus/registers.hpp"
#include "gateway/acquire/identify.hpp"
#include "gateway/config/driver_schema.hpp"
#include "gateway/config/field.hpp"
#include "gateway/config/toml.hpp"
#include "gateway/runtime/deadline.hpp"

#include <boost/algorithm/string/trim.hpp>

#include <algorithm>
#include <utility>

namespace gateway {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto unit_timeout = 500ms;
constexpr auto longest_identification = 15s;
constexpr std::size_t many = 8;  ///< units in a row that answer are one device

/// What one unit made of one question.
enum class Reached : std::uint8_t { silent, answers, disturbed, no_bus };

Reached reached(const Result<modbus::Answer>& answer, const ExchangeLog& log)
{
    if (answer) {
        return Reached::answers;
    }
    if (answer.error() == Fault::bad_checksum || answer.error() == Fault::short_frame ||
        answer.error() == Fault::unexpected_reply) {
        return Reached::disturbed;
    }
    bool sent = false;
    log.visit([&sent](const ExchangeLog::Exchange& exchange) { sent = exchange.sent.size > 0; });
    return sent ? Reached::silent : Reached::no_bus;
}

/// One scan under way.
class Scan {
public:
    Scan(ScanRequest request, DriverContext context, ProfileSet profiles, ScanStep step)
        : request_(std::move(request)),
          context_(context),
          profiles_(std::move(profiles)),
          step_(std::move(step)),
          end_(context.clock.now() + request_.limit)
    {
    }

    asio::awaitable<ScanReport> run()
    {
        for (auto unit = request_.first; unit <= request_.last; ++unit) {
            if (!co_await may_go_on(unit)) {
                break;
            }
            co_await probe(unit);
            ++report_.asked;
        }
        const auto count = report_.units.size();
        if (count >= many && count == report_.asked) {
            report_.ignores_numbers = true;
            report_.units.resize(1);
        }
        for (auto& unit : report_.units) {
            if (!unit.trouble.empty()) {
                continue;
            }
            if (co_await may_go_on(unit.unit)) {
                co_await identify_unit(unit);
            }
        }
        co_return std::move(report_);
    }

private:
    SiteDevice device(unsigned unit) const
    {
        SiteDevice site{.id = "scan", .connect = request_.connect};
        site.connect["unit"] = Setting{.value = std::int64_t{unit}, .place = {}};
        return site;
    }

    asio::awaitable<bool> may_go_on(unsigned unit)
    {
        if (!report_.problem.empty()) {
            co_return false;
        }
        if (context_.clock.now() >= end_) {
            report_.problem = "the time was over at unit " + std::to_string(unit) +
                              ": give it fewer units with --units";
            co_return false;
        }
        auto text = "unit " + std::to_string(unit) + " of " + std::to_string(request_.last) + ", " +
                    std::to_string(report_.units.size()) + " answer";
        if (!co_await step_(std::move(text))) {
            report_.problem = "was broken off";
            co_return false;
        }
        co_return true;
    }

    asio::awaitable<void> probe(unsigned unit)
    {
        Mistakes mistakes;
        const modbus::Settings settings{.timeout = unit_timeout, .retries = 0};
        const auto client = modbus::make_client(device(unit), settings, context_.buses, mistakes);
        if (!client) {
            report_.problem = mistakes.text();
            co_return;
        }
        ExchangeLog log;
        client->record_in(&log);
        modbus::Buffer buffer;  // NOLINT: filled by the device
        const modbus::Request request{.function = modbus::Function::holding_registers};
        const auto answer = co_await client->ask(request, buffer);
        switch (reached(answer, log)) {
            case Reached::silent:
                break;
            case Reached::no_bus:
                report_.problem = answer.error().message();
                break;
            case Reached::answers: {
                auto name = co_await ask_name(*client);
                report_.units.push_back({.unit = unit, .says = std::move(name)});
                break;
            }
            case Reached::disturbed:
                report_.units.push_back(
                    {.unit = unit,
                     .trouble = answer.error().message() + ": two units may have this number"});
                break;
        }
    }

    /// Maker, model and release; not every unit says them.
    asio::awaitable<std::string> ask_name(modbus::Client& client)
    {
        modbus::Buffer buffer;  // NOLINT: filled by the device
        const modbus::Request request{
            .function = modbus::Function::device_identification, .first = 0, .count = 1};
        const auto answer = co_await client.ask(request, buffer);
        std::string name;
        if (answer && answer->exception == 0) {
            const auto told = modbus::decode_identification(request, answer->data);
            for (const auto& object :
                 told ? told->objects : std::vector<modbus::IdentificationObject>()) {
                const auto text = modbus::printable(object.value).value_or("");
                name += (name.empty() || text.empty() ? "" : " ") + text;
            }
        }
        co_return name;
    }

    asio::awaitable<void> identify_unit(FoundUnit& unit)
    {
        for (const auto& [id, profile] : profiles_) {
            if ((profile->driver != "modbus" && profile->driver != "sunspec") ||
                profile->identify.empty()) {
                continue;
            }
            const DeviceConfig config{.site = device(unit.unit), .profile = profile};
            Mistakes mistakes;
            const auto driver = make_driver(config, context_, mistakes);
            if (!driver) {
                continue;
            }
            const auto answers = co_await with_deadline(driver->identify(), longest_identification);
            if (answers &&
                gateway::identify(*profile, *answers).verdict == IdentityVerdict::verified) {
                unit.profiles.push_back(id);
            }
        }
    }

    ScanRequest request_;
    DriverContext context_;
    ProfileSet profiles_;
    ScanStep step_;
    Instant end_;
    ScanReport report_;
};

}  // namespace

std::string bus_as_connect(std::string_view bus)
{
    std::string text(bus);
    boost::algorithm::trim(text);
    if (text.starts_with('{') && text.ends_with('}')) {
        text = boost::algorithm::trim_copy(text.substr(1, text.size() - 2));
    }
    if (text.find('=') != std::string::npos) {
        return text;
    }
    if (text.starts_with('/')) {
        return "serial=" + text;
    }
    const auto colon = text.rfind(':');
    const bool has_port = colon != std::string::npos && text.find(']', colon) == std::string::npos;
    return "tcp=" + text + (has_port ? "" : ":502");
}

std::string connect_as_toml(std::string text)
{
    if (text.find('{') != std::string::npos || text.find('"') != std::string::npos) {
        return text.find('{') == std::string::npos ? "{ " + text + " }" : text;
    }
    std::string toml = "{ ";
    for (std::size_t at = 0; at <= text.size();) {
        const auto end = std::min(text.find(',', at), text.size());
        const auto item = text.substr(at, end - at);
        const auto equals = std::min(item.find('='), item.size());
        const auto value = item.substr(std::min(equals + 1, item.size()));
        const bool number =
            !value.empty() && value.find_first_not_of("0123456789") == std::string::npos;
        toml += (at == 0 ? "" : ", ") + item.substr(0, equals) + " = " +
                (number ? value : "\"" + value + "\"");
        at = end + 1;
    }
    return toml + " }";
}

ScanRequest scan_request(std::string_view bus, Mistakes& mistakes)
{
    ScanRequest request;
    constexpr std::size_t longest_bus = 400;
    if (bus.empty() || bus.size() > longest_bus || bus.find('\n') != std::string_view::npos) {
        mistakes.add(Place{"BUS", 0, 0}, "bus", "is no line and no host");
        return request;
    }
    const auto document =
        parse_toml("connect = " + connect_as_toml(bus_as_connect(bus)) + "\n", "BUS", mistakes);
    const auto* given = document ? find(*document, "connect") : nullptr;
    const auto* schema = driver_schema("modbus");
    if (given == nullptr || schema == nullptr) {
        return request;
    }
    auto any_unit = *given;
    if (auto* table = std::get_if<SettingTable>(&any_unit.value)) {
        (*table)["unit"] = Setting{.value = std::int64_t{1}, .place = given->place};
    }
    const Field field(&any_unit, given->place, "connect", mistakes);
    request.connect = conform(field, schema->connect);
    return request;
}

json::object ScanReport::object() const
{
    json::array list;
    for (const auto& unit : units) {
        list.push_back({{"unit", unit.unit},
                        {"says", unit.says},
                        {"profiles", json::array(unit.profiles.begin(), unit.profiles.end())},
                        {"trouble", unit.trouble}});
    }
    return {{"ok", problem.empty()},
            {"units", std::move(list)},
            {"asked", asked},
            {"ignores_numbers", ignores_numbers},
            {"problem", problem}};
}

asio::awaitable<ScanReport> scan_bus(ScanRequest request, DriverContext context,
                                     ProfileSet profiles, ScanStep step)
{
    Scan scan(std::move(request), context, std::move(profiles), std::move(step));
    co_return co_await scan.run();
}

}  // namespace gateway
