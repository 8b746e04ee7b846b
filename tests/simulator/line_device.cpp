#include "tests/simulator/line_device.hpp"

#include "drivers/ascii/line_map.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace simulator {

using gateway::Field;
using gateway::Table;

namespace {

constexpr std::size_t longest_line = 16'384;

const gateway::Choices<LineFault::Kind> kinds{{"silent", LineFault::Kind::silent},
                                              {"delay", LineFault::Kind::delay},
                                              {"close", LineFault::Kind::close},
                                              {"cut", LineFault::Kind::cut},
                                              {"noise", LineFault::Kind::noise}};

std::vector<std::string> texts(const Field& field)
{
    std::vector<std::string> all;
    for (const auto& item : field.items()) {
        item.text(all.emplace_back(), gateway::any_text, longest_line);
    }
    return all;
}

std::string number_text(double number)
{
    char text[40];
    std::snprintf(text, sizeof text, "%.3f", number);
    std::string shown(text);
    shown.erase(shown.find_last_not_of('0') + 1);
    return shown.ends_with('.') ? shown.substr(0, shown.size() - 1) : shown;
}

}  // namespace

const LineFault* LineDevice::fault() const
{
    const auto on = [this](const LineFault& each) {
        return requests >= each.first_request && requests <= each.last_request;
    };
    const auto found = std::ranges::find_if(faults, on);
    return found == faults.end() ? nullptr : &*found;
}

std::string LineDevice::say(const std::vector<std::string>& lines, double seconds, Random& random)
{
    std::string said;
    for (auto line : lines) {
        for (auto& [name, model] : values) {
            const auto mark = "{" + name + "}";
            if (const auto at = line.find(mark); at != std::string::npos) {
                const auto text = model.kind() == Model::Kind::text
                                      ? model.text()
                                      : number_text(model.next(seconds, 0, random));
                line.replace(at, mark.size(), text);
            }
        }
        gateway::ascii::Grammar grammar{.start = start, .end = {}};
        grammar.checksum = checksum;
        said += gateway::ascii::request_bytes(grammar, line, {});
    }
    return said;
}

LineDevice parse_line_device(Table& table)
{
    LineDevice device;
    table.need("id").text(device.id);
    table["listen"].text(device.listen);
    table["start"].text(device.start);
    std::string checksum;
    table["checksum"].text(checksum);
    device.checksum = gateway::ascii::checksum_named(checksum);
    table["every"].duration(device.every);
    device.speaks = texts(table["speaks"]);
    table["answers"].tables([&](Table& answer) {
        std::string request;
        answer.need("to").text(request);
        device.answers.emplace_back(request, texts(answer.need("lines")));
    });
    table["values"].table([&](Table& values) {
        for (const auto& [name, value] : values.settings()) {
            device.values[name] = Model::parse(values[name]);
        }
    });
    table["fault"].tables([&](Table& keys) {
        auto& fault = device.faults.emplace_back();
        keys.need("kind").choice(fault.kind, kinds);
        keys["delay"].duration(fault.delay);
        keys["first_request"].integer(fault.first_request, 1, 1'000'000'000);
        keys["last_request"].integer(fault.last_request, 1, 1'000'000'000);
    });
    return device;
}

}  // namespace simulator
