#include "drivers/modbus/example.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

namespace gateway::modbus {

namespace {

bool covers(const Image& image, const Location& location)
{
    for (std::uint32_t i = 0; i < location.count; ++i) {
        if (!image.contains({location.function, location.first + i})) {
            return false;
        }
    }
    return true;
}

/// The frame with which a device that holds the image answers.
Bytes answer_from(const Image& image, std::uint16_t transaction, const Request& request)
{
    const auto data = data_from(image, request);
    Bytes frame{static_cast<std::uint8_t>(transaction >> 8),
                static_cast<std::uint8_t>(transaction),
                0,
                0,
                0,
                static_cast<std::uint8_t>(data.size() + 3),
                request.unit,
                static_cast<std::uint8_t>(request.function),
                static_cast<std::uint8_t>(data.size())};
    frame.insert(frame.end(), data.begin(), data.end());
    return frame;
}

/// Nothing when the factor is a parameter without a default.
std::optional<Fraction> resolve(const Factor& factor, const Profile& profile)
{
    if (factor.parameter.empty()) {
        return factor.times;
    }
    const auto named = [&](const Parameter& p) { return p.id == factor.parameter; };
    const auto found = std::find_if(profile.parameters.begin(), profile.parameters.end(), named);
    if (found == profile.parameters.end() || !found->otherwise) {
        return std::nullopt;
    }
    return found->otherwise->times(factor.times);
}

void run(const Example& example, const Profile& profile, const RegisterMap& map,
         std::vector<std::string>& differences)
{
    const auto image = image_of(example);
    const auto differs = [&](const std::string& id, const std::string& got) {
        differences.push_back(difference(example, id, got));
    };
    std::vector<std::uint16_t> due;
    for (std::size_t row = 0; row < map.points.size(); ++row) {
        const auto& id = profile.points[row].id;
        if (!example.expect.contains(id)) {
            continue;
        }
        if (covers(image, map.points[row])) {
            due.push_back(static_cast<std::uint16_t>(row));
        } else {
            differs(id, "nothing: the example does not give its registers");
        }
    }
    Layout layout(map.points, map.limits);
    std::uint16_t transaction = 0;
    for (const auto& block : layout.plan_for(due)) {
        const Request request{1, block.function, block.first, block.count};
        const auto frame = answer_from(image, ++transaction, request);
        const auto answer = decode(transaction, request, frame);
        for (const auto& part : block.parts) {
            const auto& point = profile.points[part.row];
            const auto value =
                answer ? value_in(map.points[part.row], part.offset, answer->data) : std::nullopt;
            const auto got = value ? seen_by_people(*value, point, profile) : "no value";
            if (got != example.expect.at(point.id)) {
                differs(point.id, got);
            }
        }
    }
}

}  // namespace

Image image_of(const Example& example)
{
    constexpr std::pair<std::string_view, Function> tables[] = {
        {"holding", Function::holding_registers},
        {"input", Function::input_registers},
        {"coil", Function::coils},
        {"discrete", Function::discrete_inputs}};
    Image image;
    const auto registers = get(example.raw, "registers", SettingTable{});
    for (const auto& [name, function] : tables) {
        for (const auto& [start, words] : get(registers, name, SettingTable{})) {
            std::uint32_t address = 0;
            std::from_chars(start.data(), start.data() + start.size(), address);
            const auto* list = std::get_if<SettingList>(&words.value);
            for (const auto& word : list == nullptr ? SettingList{} : *list) {
                const auto* number = std::get_if<std::int64_t>(&word.value);
                image[{function, address++}] =
                    static_cast<std::uint16_t>(number == nullptr ? 0 : *number);
            }
        }
    }
    return image;
}

Bytes data_from(const Image& image, const Request& request)
{
    Bytes data(data_size(request));
    for (std::uint32_t i = 0; i < request.count; ++i) {
        const auto at = image.find({request.function, request.first + i});
        const unsigned word = at == image.end() ? 0 : at->second;
        if (is_bit_table(request.function)) {
            data[i / 8] |= static_cast<std::uint8_t>((word & 1U) << (i % 8));
        } else {
            data[2 * i] = static_cast<std::uint8_t>(word >> 8);
            data[2 * i + 1] = static_cast<std::uint8_t>(word);
        }
    }
    return data;
}

std::string seen_by_people(const Value& value, const Point& point, const Profile& profile)
{
    if (value.is_text()) {
        return value.text();
    }
    if (value.is_integer() && value.kind() != Kind::uint64 && !point.names.empty()) {
        const auto name = point.names.find(value.as_int64());
        return name == point.names.end() ? "no name for " + std::to_string(value.as_int64())
                                         : name->second;
    }
    const auto scale = resolve(point.scale, profile);
    const auto offset = resolve(point.offset, profile);
    if (!scale || !offset) {
        return "a parameter without a default";
    }
    const auto decimal = apply(value, *scale, *offset);
    return decimal ? decimal->text : "no number";
}

std::string difference(const Example& example, const std::string& point, const std::string& got)
{
    return example.place.file + ":" + std::to_string(example.place.line) + ": " + point +
           ": expected " + example.expect.at(point) + ", got " + got;
}

std::vector<std::string> run_examples(const Profile& profile, const RegisterMap& map)
{
    std::vector<std::string> differences;
    for (const auto& example : profile.examples) {
        run(example, profile, map, differences);
    }
    return differences;
}

}  // namespace gateway::modbus
