#include "drivers/modbus/example.hpp"

#include "gateway/acquire/example.hpp"

#include <charconv>
#include <map>
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

/// What a driver makes of a device that holds the image: one sample per row that lies in it. What
/// is read elsewhere when it is not here was refused.
Samples samples_of(const Image& image, const RegisterMap& map, const Profile& profile)
{
    constexpr std::uint8_t illegal_address = 2;
    std::vector<std::uint16_t> due;
    Samples samples;
    for (std::size_t i = 0; i < map.points.size(); ++i) {
        const auto row = static_cast<std::uint16_t>(i);
        if (covers(image, map.points[i])) {
            due.push_back(row);
        } else if (!profile.points[i].fallback.empty()) {
            samples.push_back({.row = row,
                               .raw = {},
                               .quality = Quality::comm_error,
                               .cause = exception_cause(illegal_address),
                               .device_time = {}});
        }
    }
    Layout layout(map.points, map.limits);
    std::uint16_t transaction = 0;
    for (const auto& block : layout.plan_for(due)) {
        const Request request{1, block.function, block.first, block.count};
        const auto frame = answer_from(image, ++transaction, request);
        const auto answer = decode(transaction, request, frame);
        for (const auto& part : block.parts) {
            auto value =
                answer ? value_in(map.points[part.row], part.offset, answer->data) : std::nullopt;
            auto& sample = samples.emplace_back();
            sample.row = part.row;
            sample.quality = value ? Quality::good : Quality::bad;
            sample.cause = value ? Cause::none : Cause::not_a_number;
            sample.raw = std::move(value).value_or(Value());
        }
    }
    return samples;
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

std::vector<std::string> run_examples(const Profile& profile, const RegisterMap& map)
{
    std::vector<std::string> differences;
    for (const auto& example : profile.examples) {
        auto of_one =
            differences_from(example, profile, samples_of(image_of(example), map, profile));
        differences.insert(differences.end(), of_one.begin(), of_one.end());
    }
    return differences;
}

}  // namespace gateway::modbus
