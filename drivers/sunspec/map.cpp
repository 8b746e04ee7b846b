#include "drivers/sunspec/map.hpp"

#include "drivers/modbus/register_map.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace gateway::sunspec {

namespace {

constexpr std::uint16_t any_gap = modbus::most_registers;  // a model has no holes

std::uint16_t number(const SettingTable& table, const char* key, std::uint16_t otherwise = 0)
{
    return static_cast<std::uint16_t>(get(table, key, std::int64_t{otherwise}));
}

std::optional<std::uint16_t> optional_number(const SettingTable& table, const char* key)
{
    return table.contains(key) ? std::optional(number(table, key)) : std::nullopt;
}

Wanted read_wanted(const SettingTable& read)
{
    Wanted wanted{.model = number(read, "model"),
                  .instance = number(read, "instance", 1),
                  .offset = number(read, "offset"),
                  .type = type_named(get(read, "type", std::string())),
                  .factor = optional_number(read, "scale_factor"),
                  .group_factor = optional_number(read, "group_scale_factor")};
    wanted.words = encoding_of(wanted.type, number(read, "count", 1)).words;
    if (const auto group = get(read, "group", SettingTable{}); !group.empty()) {
        wanted.group = Group{.first = number(group, "first"),
                             .size = number(group, "size", 1),
                             .repeat = number(group, "repeat", 1)};
    }
    return wanted;
}

/// Where what the offset counts from lies in the model.
std::uint32_t group_begin(const Wanted& wanted)
{
    return wanted.group ? wanted.group->first + wanted.group->size * (wanted.group->repeat - 1U)
                        : 0;
}

/// The registers from `offset` on, where `begin` to `end` of the model is the model itself or one
/// of its groups; nothing when the device's model is shorter.
std::optional<modbus::Location> within(const Model& model, std::uint32_t begin, std::uint32_t end,
                                       std::uint16_t offset, modbus::Encoding encoding)
{
    if (begin + offset + encoding.words > std::min<std::uint32_t>(end, model.length)) {
        return std::nullopt;
    }
    return modbus::Location{.first = static_cast<std::uint16_t>(model.first + begin + offset),
                            .count = encoding.words,
                            .encoding = encoding};
}

struct Found {
    std::optional<modbus::Location> value, factor;
};

Found find_point(const Wanted& wanted, const std::vector<Model>& models)
{
    const auto* model = find(models, wanted.model, wanted.instance);
    if (model == nullptr) {
        return {};
    }
    const auto begin = group_begin(wanted);
    const auto end = wanted.group ? begin + wanted.group->size : model->length;
    const modbus::Encoding exponent{.type = modbus::Type::int16};
    Found found{
        .value = within(*model, begin, end, wanted.offset, encoding_of(wanted.type, wanted.words)),
        .factor = {}};
    if (wanted.factor) {
        found.factor = within(*model, 0, model->length, *wanted.factor, exponent);
    } else if (wanted.group_factor) {
        found.factor = within(*model, begin, end, *wanted.group_factor, exponent);
    }
    return found;
}

bool has_factor(const Wanted& wanted)
{
    return wanted.factor || wanted.group_factor;
}

/// The sample of a row of `locations`; null when it was not asked for.
const Sample* answer_to(std::optional<std::uint16_t> row, const std::vector<std::uint16_t>& asked,
                        const Samples& answers)
{
    const auto at = row ? std::lower_bound(asked.begin(), asked.end(), *row) : asked.end();
    return at == asked.end() || *at != *row
               ? nullptr
               : &answers[static_cast<std::size_t>(at - asked.begin())];
}

}  // namespace

Map read_map(const Profile& profile)
{
    Map map;
    for (const auto& base : get(profile.transport, "base", SettingList{})) {
        map.bases.push_back(static_cast<std::uint16_t>(std::get<std::int64_t>(base.value)));
    }
    if (map.bases.empty()) {
        map.bases = {40'000, 50'000, 0};
    }
    map.limits.max_words = number(profile.transport, "max_words", modbus::most_registers);
    map.limits.max_gap = any_gap;
    map.settings = modbus::read_settings(profile.transport);
    for (const auto& point : profile.points) {
        map.points.push_back(read_wanted(point.read));
    }
    for (const auto& identify : profile.identify) {
        map.identity.push_back(read_wanted(identify.read));
    }
    return map;
}

std::vector<Model> smallest_models(const std::vector<Wanted>& wanted)
{
    std::map<std::pair<std::uint16_t, unsigned>, std::uint32_t> lengths;
    for (const auto& point : wanted) {
        const auto begin = group_begin(point);
        auto end = begin + point.offset + point.words;
        end = std::max(end, point.factor.value_or(0) + 1U);
        end = std::max(end, begin + point.group_factor.value_or(0) + 1U);
        for (unsigned instance = 1; instance < point.instance; ++instance) {
            lengths.try_emplace({point.model, instance}, 1);
        }
        auto& length = lengths[{point.model, point.instance}];
        length = std::max(length, end);
    }
    std::vector<Model> models;
    std::uint32_t first = 0;
    for (const auto& [model, length] : lengths) {
        models.push_back({.id = model.first,
                          .first = static_cast<std::uint16_t>(first),
                          .length = static_cast<std::uint16_t>(length)});
        first += length + any_gap + 1U;
    }
    return models;
}

Layout locate(const std::vector<Wanted>& wanted, const std::vector<Model>& models)
{
    Layout layout;
    std::vector<modbus::Location> factors;
    std::vector<std::optional<std::size_t>> factor_of;
    for (const auto& point : wanted) {
        const auto found = find_point(point, models);
        layout.value.emplace_back();
        factor_of.emplace_back();
        if (!found.value) {
            continue;
        }
        layout.value.back() = static_cast<std::uint16_t>(layout.locations.size());
        layout.locations.push_back(*found.value);
        if (found.factor) {
            const auto same = [&](const auto& known) { return known.first == found.factor->first; };
            const auto known = std::find_if(factors.begin(), factors.end(), same);
            factor_of.back() = static_cast<std::size_t>(known - factors.begin());
            if (known == factors.end()) {
                factors.push_back(*found.factor);
            }
        }
    }
    for (const auto& factor : factor_of) {
        layout.factor.push_back(
            factor ? std::optional(static_cast<std::uint16_t>(layout.locations.size() + *factor))
                   : std::nullopt);
    }
    layout.locations.insert(layout.locations.end(), factors.begin(), factors.end());
    return layout;
}

void ask_for(const Layout& layout, PointSet due, std::vector<std::uint16_t>& asked)
{
    asked.clear();
    for (const auto row : due) {
        for (const auto& one : {layout.value[row], layout.factor[row]}) {
            if (one) {
                asked.push_back(*one);
            }
        }
    }
    std::sort(asked.begin(), asked.end());
    asked.erase(std::unique(asked.begin(), asked.end()), asked.end());
}

void take(const Layout& layout, const std::vector<Wanted>& wanted, PointSet due,
          const std::vector<std::uint16_t>& asked, const Samples& answers, Samples& samples)
{
    samples.clear();
    samples.reserve(due.size());
    for (const auto row : due) {
        const auto* value = answer_to(layout.value[row], asked, answers);
        auto sample =
            value == nullptr ? Sample{.quality = Quality::missing, .device_time = {}} : *value;
        sample.row = row;
        interpret(wanted[row].type, sample);
        if (has_factor(wanted[row])) {
            const auto* factor = answer_to(layout.factor[row], asked, answers);
            const Sample none{.quality = Quality::missing, .device_time = {}};
            apply_factor(factor == nullptr ? none : *factor, sample);
        }
        samples.push_back(std::move(sample));
    }
}

}  // namespace gateway::sunspec
