#include "drivers/sunspec/example.hpp"

#include "drivers/modbus/example.hpp"

#include <algorithm>
#include <optional>
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

void run(const Example& example, const Profile& profile, const Map& map,
         std::vector<std::string>& differences)
{
    const auto image = modbus::image_of(example);
    const auto layout = locate(map.points, models_in(image, map.bases));
    std::vector<std::uint16_t> due;
    for (std::size_t row = 0; row < profile.points.size(); ++row) {
        if (example.expect.contains(profile.points[row].id)) {
            due.push_back(static_cast<std::uint16_t>(row));
        }
    }
    const auto asked = needed(layout, due);
    const auto answers = answers_from(image, layout, asked);
    for (const auto& sample : samples_of(layout, map.points, due, asked, answers)) {
        const auto& point = profile.points[sample.row];
        const auto got = sample.quality == Quality::good
                             ? modbus::seen_by_people(sample.raw, point, profile)
                             : std::string(to_string(sample.quality));
        if (got != example.expect.at(point.id)) {
            differences.push_back(modbus::difference(example, point.id, got));
        }
    }
}

}  // namespace

std::vector<std::string> run_examples(const Profile& profile, const Map& map)
{
    std::vector<std::string> differences;
    for (const auto& example : profile.examples) {
        run(example, profile, map, differences);
    }
    return differences;
}

}  // namespace gateway::sunspec
