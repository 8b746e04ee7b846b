#include "tests/simulator/scene.hpp"

#include "drivers/modbus/register_map.hpp"
#include "gateway/config/file.hpp"
#include "gateway/config/profile.hpp"
#include "gateway/config/toml.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>

namespace simulator {

using gateway::Field;
using gateway::Fraction;
using gateway::Mistakes;
using gateway::Profile;
using gateway::Table;
using gateway::modbus::Function;

namespace {

const gateway::Choices<Function> tables{{"holding", Function::holding_registers},
                                        {"input", Function::input_registers},
                                        {"coil", Function::coils},
                                        {"discrete", Function::discrete_inputs}};

const gateway::Choices<Fault::Kind> fault_kinds{
    {"silent", Fault::Kind::silent},
    {"exception", Fault::Kind::exception},
    {"delay", Fault::Kind::delay},
    {"close", Fault::Kind::close},
    {"short", Fault::Kind::short_frame},
    {"wrong_transaction", Fault::Kind::wrong_transaction},
    {"wrong_unit", Fault::Kind::wrong_unit},
    {"bad_crc", Fault::Kind::bad_crc},
    {"noise_before", Fault::Kind::noise_before},
    {"noise_after", Fault::Kind::noise_after}};

const gateway::Choices<Framing> framings{{"tcp", Framing::tcp}, {"rtu", Framing::rtu}};

std::string absolute(const std::string& path, const std::string& folder)
{
    return (std::filesystem::path(folder) / path).lexically_normal().string();
}

std::uint16_t address_of(const std::string& text, const Field& field)
{
    std::uint16_t address = 0;
    const auto* end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, address);
    if (error != std::errc() || stopped != end) {
        field.mistake("write an address from 0 to 65535");
    }
    return address;
}

/// The same as in a profile's `[[example]]`.
void parse_registers(Table& registers, Device& device)
{
    for (const auto& table : tables) {
        const auto function = table.second;
        const auto field = registers[table.first];
        if (field && std::holds_alternative<std::int64_t>(field.setting()->value)) {
            field.integer(device.walking, 1, 65535);
            continue;
        }
        field.table([&](Table& words) {
            for (const auto& [start, list] : words.settings()) {
                const auto entry = words[start];
                auto address = address_of(start, entry);
                for (const auto& item : entry.items(65536)) {
                    item.integer(device.image[{function, address++}], 0, 65535);
                }
            }
        });
    }
}

Fraction resolve(const gateway::Factor& factor, const Profile& profile)
{
    for (const auto& parameter : profile.parameters) {
        if (parameter.id == factor.parameter && parameter.otherwise) {
            return parameter.otherwise->times(factor.times).value_or(Fraction(1));
        }
    }
    return factor.times;
}

/// What the profile's first example expects, so that a scene need not name every point.
Model example_value(const Profile& profile, const gateway::Point& point)
{
    if (!profile.examples.empty()) {
        const auto& expect = profile.examples.front().expect;
        const auto found = expect.find(point.id);
        const auto number = found == expect.end() ? std::nullopt : Fraction::parse(found->second);
        if (number) {
            return Model::of(*number);
        }
    }
    return point.valid_low ? Model::of(*point.valid_low) : Model();
}

void parse_profile_cells(const Field& field, const Field& values, const std::string& folder,
                         Device& device)
{
    std::string path;
    field.text(path, gateway::any_text, 4096);
    path = absolute(path, folder);
    const auto text = gateway::read_file(path, gateway::longest_document);
    if (!text) {
        field.mistake(path + ": " + text.error().message());
        return;
    }
    Mistakes mistakes;
    const auto profile = gateway::parse_profile(*text, path, mistakes);
    const auto map = gateway::modbus::read_map(profile, mistakes);
    field.mistakes().add(mistakes);
    if (!mistakes.empty()) {
        return;
    }
    std::map<std::string, Model> models;
    values.table([&](Table& table) {
        for (const auto& [id, value] : table.settings()) {
            const auto entry = table[id];
            const auto known = [&name = id](const auto& point) { return point.id == name; };
            if (std::none_of(profile.points.begin(), profile.points.end(), known)) {
                entry.mistake("the profile has no such point");
            }
            models[id] = Model::parse(entry);
        }
    });
    for (std::size_t row = 0; row < profile.points.size(); ++row) {
        const auto& point = profile.points[row];
        const auto given = models.find(point.id);
        device.cells.push_back(
            {.point = point.id,
             .location = map.points[row],
             .scale = resolve(point.scale, profile),
             .offset = resolve(point.offset, profile),
             .names = point.names,
             .model = given == models.end() ? example_value(profile, point) : given->second});
    }
}

void parse_fault(Table& table, Device& device)
{
    auto& fault = device.faults.emplace_back();
    table.need("kind").choice(fault.kind, fault_kinds);
    table["code"].integer(fault.code, 1, 255);
    table["delay"].duration(fault.delay);
    table["from"].duration(fault.from);
    table["to"].duration(fault.to);
    table["first_request"].integer(fault.first_request, 1, 1'000'000'000);
    table["last_request"].integer(fault.last_request, 1, 1'000'000'000);
}

void parse_refused(Table& table, Device& device)
{
    std::pair<Address, std::uint16_t> range{{Function::holding_registers, 0}, 1};
    table["table"].choice(range.first.first, tables);
    table.need("address").integer(range.first.second, 0, 65535);
    table["count"].integer(range.second, 1, 65535);
    device.refused.push_back(range);
}

void parse_objects(Table& table, Device& device)
{
    for (const auto& [id, text] : table.settings()) {
        const auto entry = table[id];
        entry.text(device.objects[static_cast<std::uint8_t>(address_of(id, entry))]);
    }
}

void parse_line(Table& table, const std::string& folder, Device& device)
{
    table["framing"].choice(device.framing, framings);
    if (const auto serial = table["serial"]) {
        serial.text(device.serial, gateway::any_text, 4096);
        device.serial = absolute(device.serial, folder);
        device.framing = Framing::rtu;
    }
    table["baud"].integer(device.baud, 300, 4'000'000);
    table["echo"].flag(device.echo);
}

void parse_device(Table& table, const std::string& folder, Scene& scene)
{
    Device device;
    table.need("id").text(device.id);
    table["listen"].text(device.listen, gateway::any_text);
    table["behind"].text(device.behind);
    table["unit"].integer(device.unit, 0, 255);
    parse_line(table, folder, device);
    const auto values = table["values"];
    if (const auto profile = table["profile"]) {
        parse_profile_cells(profile, values, folder, device);
    }
    table["registers"].table([&](Table& registers) { parse_registers(registers, device); });
    table["floats"].flag(device.walking_floats);
    table["refuse"].tables([&](Table& refused) { parse_refused(refused, device); });
    table["objects"].table([&](Table& objects) { parse_objects(objects, device); });
    table["fault"].tables([&](Table& fault) { parse_fault(fault, device); });
    scene.devices.push_back(std::move(device));
}

}  // namespace

Scene parse_scene(std::string_view text, const std::string& file, const std::string& folder,
                  Mistakes& mistakes)
{
    Scene scene;
    const auto document = gateway::parse_toml(text, file, mistakes);
    if (!document) {
        return scene;
    }
    Table table(*document, {file, 0, 0}, "", mistakes);
    table["log"].text(scene.log, gateway::any_text, 4096);
    if (!scene.log.empty()) {
        scene.log = absolute(scene.log, folder);
    }
    table["seed"].integer(scene.seed, 0, 1'000'000'000);
    table["device"].tables([&](Table& device) { parse_device(device, folder, scene); }, 10'000);
    table["lines"].tables([&](Table& device) { scene.lines.push_back(parse_line_device(device)); });
    return scene;
}

}  // namespace simulator
