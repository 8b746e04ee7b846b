#include "drivers/registry.hpp"

#include "drivers/modbus/client.hpp"
#include "drivers/modbus/driver.hpp"
#include "drivers/modbus/example.hpp"
#include "drivers/modbus/explain.hpp"
#include "drivers/modbus/register_map.hpp"
#include "drivers/registry_json.hpp"
#include "drivers/registry_text.hpp"
#include "drivers/sunspec/driver.hpp"
#include "drivers/sunspec/example.hpp"
#include "gateway/acquire/due_rows.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace gateway {

namespace {

std::unique_ptr<Driver> make_modbus(const DeviceConfig& device, const DriverContext& context,
                                    Mistakes& mistakes)
{
    Mistakes own;
    auto map = modbus::read_map(*device.profile, own);
    auto client = modbus::make_client(device.site, map.settings, context.buses, own);
    mistakes.add(own);
    if (!own.empty()) {
        return nullptr;
    }
    client->record_in(context.exchanges);
    return std::make_unique<modbus::ModbusDriver>(
        std::move(client), modbus::Layout(std::move(map.points), map.limits),
        modbus::Layout(std::move(map.identity), map.limits));
}

void check_modbus(const Profile& profile, Mistakes& mistakes)
{
    modbus::read_map(profile, mistakes);
}

std::vector<std::string> run_modbus_examples(const Profile& profile)
{
    Mistakes mistakes;
    const auto map = modbus::read_map(profile, mistakes);
    return mistakes.empty() ? modbus::run_examples(profile, map) : mistakes.lines();
}

std::vector<PlannedRequest> describe_modbus(const Profile& profile)
{
    Mistakes mistakes;
    const auto map = modbus::read_map(profile, mistakes);
    std::vector<PlannedRequest> requests;
    if (!mistakes.empty()) {
        return requests;
    }
    modbus::Layout layout(map.points, map.limits);
    DueRows rows(profile);
    for (const auto& [poll, due] : rows_by_poll(profile)) {
        for (const auto& block : layout.plan_for(rows.with_companions(due))) {
            PlannedRequest request{.poll = poll, .text = modbus::describe(block)};
            for (const auto& part : block.parts) {
                request.text += (&part == block.parts.data() ? ": " : ", ");
                request.text += profile.points[part.row].id;
            }
            const auto cost = modbus::cost_of(block, map);
            request.bytes = cost.bytes;
            request.on_serial_line = cost.on_serial_line;
            requests.push_back(std::move(request));
        }
    }
    return requests;
}

std::unique_ptr<Driver> make_sunspec(const DeviceConfig& device, const DriverContext& context,
                                     Mistakes& mistakes)
{
    auto map = sunspec::read_map(*device.profile);
    auto client = modbus::make_client(device.site, map.settings, context.buses, mistakes);
    if (!client) {
        return nullptr;
    }
    client->record_in(context.exchanges);
    return std::make_unique<sunspec::SunspecDriver>(std::move(client), std::move(map));
}

void check_sunspec(const Profile& /*profile*/, Mistakes& /*mistakes*/) {}

std::vector<std::string> run_sunspec_examples(const Profile& profile)
{
    return sunspec::run_examples(profile, sunspec::read_map(profile));
}

/// Where its models lie only a device can say: here each one begins somewhere for itself.
std::vector<PlannedRequest> describe_sunspec(const Profile& profile)
{
    const auto map = sunspec::read_map(profile);
    const modbus::RegisterMap costs{.settings = map.settings};
    const auto layout = sunspec::locate(map.points, sunspec::smallest_models(map.points));
    modbus::Layout registers(layout.locations, map.limits);
    std::vector<PlannedRequest> requests;
    std::vector<std::uint16_t> asked;
    for (const auto& [poll, due] : rows_by_poll(profile)) {
        sunspec::ask_for(layout, due, asked);
        for (const auto& block : registers.plan_for(asked)) {
            PlannedRequest request{.poll = poll, .text = {}};
            for (const auto row : due) {
                const auto in_block = [&](const modbus::Part& part) {
                    return part.row == layout.value[row];
                };
                if (std::any_of(block.parts.begin(), block.parts.end(), in_block)) {
                    request.text += (request.text.empty()
                                         ? "model " + std::to_string(map.points[row].model) + ": "
                                         : ", ") +
                                    profile.points[row].id;
                }
            }
            const auto cost = modbus::cost_of(block, costs);
            request.bytes = cost.bytes;
            request.on_serial_line = cost.on_serial_line;
            requests.push_back(std::move(request));
        }
    }
    return requests;
}

struct Row {
    std::string_view name;
    decltype(&make_modbus) make;
    decltype(&check_modbus) check;
    decltype(&run_modbus_examples) examples;
    decltype(&describe_modbus) describe;
};

constexpr std::array drivers{
    Row{"modbus", make_modbus, check_modbus, run_modbus_examples, describe_modbus},
    Row{"ascii", make_ascii, check_ascii, run_ascii_examples, describe_ascii},
    Row{"sysfs", make_sysfs, check_sysfs, run_sysfs_examples, describe_sysfs},
    Row{"http_json", make_http_json, check_http_json, run_http_json_examples, describe_http_json},
    Row{"mqtt_json", make_mqtt_json, check_mqtt_json, run_mqtt_json_examples, describe_mqtt_json},
    Row{"sunspec", make_sunspec, check_sunspec, run_sunspec_examples, describe_sunspec},
};

const Row* row_of(const Profile& profile)
{
    const auto named = [&](const Row& row) { return row.name == profile.driver; };
    const auto* found = std::find_if(drivers.begin(), drivers.end(), named);
    return found == drivers.end() ? nullptr : found;
}

void not_here(const Profile& profile, Mistakes& mistakes)
{
    mistakes.add({profile.file, 0, 0}, "transport.driver",
                 "this release has no driver \"" + profile.driver + "\"");
}

}  // namespace

std::unique_ptr<Driver> make_driver(const DeviceConfig& device, const DriverContext& context,
                                    Mistakes& mistakes)
{
    if (const auto* row = row_of(*device.profile)) {
        return row->make(device, context, mistakes);
    }
    not_here(*device.profile, mistakes);
    return nullptr;
}

bool has_driver(std::string_view name)
{
    return std::any_of(drivers.begin(), drivers.end(),
                       [name](const auto& row) { return row.name == name; });
}

void check_driver_part(const Profile& profile, Mistakes& mistakes)
{
    if (const auto* row = row_of(profile)) {
        row->check(profile, mistakes);
    } else {
        not_here(profile, mistakes);
    }
}

std::vector<std::string> run_examples(const Profile& profile)
{
    const auto* row = row_of(profile);
    if (row == nullptr) {
        Mistakes mistakes;
        not_here(profile, mistakes);
        return mistakes.lines();
    }
    return row->examples(profile);
}

std::vector<PlannedRequest> describe_plan(const Profile& profile)
{
    const auto* row = row_of(profile);
    return row == nullptr ? std::vector<PlannedRequest>{} : row->describe(profile);
}

Explainer explainer(const Profile& profile)
{
    Mistakes mistakes;
    auto map =
        profile.driver == "modbus" ? modbus::read_map(profile, mistakes) : modbus::RegisterMap();
    return [&profile, map = std::move(map)](const ExchangeLog::Exchange& exchange) {
        if (exchange.framing == Framing::lines) {
            return explain_lines(exchange);
        }
        return ExchangeText{modbus::explain_request(exchange, profile, map.points),
                            modbus::explain_answer(exchange)};
    };
}

bool keeps_exchanges(std::string_view driver)
{
    return driver == "modbus" || driver == "sunspec" || driver == "ascii";
}

}  // namespace gateway
