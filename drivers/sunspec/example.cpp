#include "drivers/sunspec/example.hpp"

#include "drivers/modbus/example.hpp"
#include "gateway/acquire/example.hpp"

#include <numeric>
#include <utility>

namespace gateway::sunspec {

namespace {

Bytes read_from(const modbus::Image& image, std::uint16_t first, std::uint16_t count)
{
    return modbus::data_from(image, {.first = first, .count = count});
}

std::vector<Model> models_in(const modbus::Image& image, const std::vector<std::uint16_t>& bases)
{
    for (const auto base : bases) {
        if (!is_marker(read_from(image, base, marker_words))) {
            continue;
        }
        Chain chain(base);
        while (const auto header = chain.next_header()) {
            if (!chain.take(read_from(image, *header, header_words))) {
                break;
            }
        }
        return chain.models();
    }
    return {};
}

Samples answers_from(const modbus::Image& image, const Layout& layout,
                     const std::vector<std::uint16_t>& asked)
{
    Samples answers;
    for (const auto row : asked) {
        const auto& location = layout.locations[row];
        const auto data = read_from(image, location.first, location.count);
        auto value = modbus::value_in(location, 0, data);
        Sample sample{.row = row, .raw = {}, .device_time = {}};
        sample.quality = value ? Quality::good : Quality::bad;
        sample.raw = std::move(value).value_or(Value());
        answers.push_back(std::move(sample));
    }
    return answers;
}

/// What a driver makes of a device that holds the example's registers.
Samples samples_in(const Example& example, const Map& map)
{
    const auto image = modbus::image_of(example);
    const auto layout = locate(map.points, models_in(image, map.bases));
    std::vector<std::uint16_t> due(map.points.size());
    std::iota(due.begin(), due.end(), std::uint16_t{0});
    std::vector<std::uint16_t> asked;
    ask_for(layout, due, asked);
    Samples samples;
    take(layout, map.points, due, asked, answers_from(image, layout, asked), samples);
    return samples;
}

}  // namespace

std::vector<std::string> run_examples(const Profile& profile, const Map& map)
{
    std::vector<std::string> differences;
    for (const auto& example : profile.examples) {
        auto of_one = differences_from(example, profile, samples_in(example, map));
        differences.insert(differences.end(), of_one.begin(), of_one.end());
    }
    return differences;
}

}  // namespace gateway::sunspec
