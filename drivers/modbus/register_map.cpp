#include "drivers/modbus/register_map.hpp"

#include "gateway/config/literal.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace gateway::modbus {

namespace {

template <typename T>
using Names = std::vector<std::pair<std::string_view, T>>;

const Names<Function> tables{{"holding", Function::holding_registers},
                             {"input", Function::input_registers},
                             {"coil", Function::coils},
                             {"discrete", Function::discrete_inputs}};

const Names<Type> types{
    {"int16", Type::int16},     {"uint16", Type::uint16},   {"int32", Type::int32},
    {"uint32", Type::uint32},   {"int64", Type::int64},     {"uint64", Type::uint64},
    {"float32", Type::float32}, {"float64", Type::float64}, {"bcd16", Type::bcd16},
    {"bcd32", Type::bcd32},     {"bcd64", Type::bcd64},     {"text", Type::text},
    {"bit", Type::uint16}};

const Names<Order> orders{{"big", Order::big},
                          {"little", Order::little},
                          {"big-swapped", Order::big_swapped},
                          {"little-swapped", Order::little_swapped}};

/// What `names` calls the text at `key`; the first of them when it is absent.
template <typename T>
T named(const SettingTable& table, std::string_view key, const Names<T>& names)
{
    const auto name = get(table, key, std::string());
    const auto same = [&](const auto& known) { return known.first == name; };
    const auto found = std::find_if(names.begin(), names.end(), same);
    return found == names.end() ? names.front().second : found->second;
}

template <typename T>
void take(const SettingTable& table, std::string_view key, T& out)
{
    if (const auto* setting = find(table, key)) {
        out = static_cast<T>(std::get<std::int64_t>(setting->value));
    }
}

std::vector<std::int64_t> integers(const SettingTable& table, std::string_view key)
{
    std::vector<std::int64_t> numbers;
    for (const auto& item : get(table, key, SettingList{})) {
        numbers.push_back(std::get<std::int64_t>(item.value));
    }
    return numbers;
}

Encoding read_encoding(const SettingTable& read)
{
    Encoding encoding{.type = named(read, "type", types), .order = named(read, "words", orders)};
    encoding.words = words_of(encoding.type);
    take(read, "count", encoding.words);
    if (read.contains("bit")) {
        take(read, "bit", encoding.bit);
        encoding.bit_count = 1;
    }
    const auto range = integers(read, "bits");
    if (range.size() == 2) {
        encoding.bit = static_cast<std::uint8_t>(range[0]);
        encoding.bit_count = static_cast<std::uint8_t>(range[1] - range[0] + 1);
    }
    return encoding;
}

Location read_identification(const SettingTable& read)
{
    Location location{.function = Function::device_identification, .encoding = {}};
    take(read, "mei", location.first);
    constexpr std::uint16_t basic = 1;
    constexpr std::uint16_t regular = 2;
    constexpr std::uint16_t extended = 3;
    location.count = location.first < 3 ? basic : location.first < 0x80 ? regular : extended;
    return location;
}

Location read_location(const SettingTable& read)
{
    if (read.contains("mei")) {
        return read_identification(read);
    }
    Location location{.function = named(read, "table", tables), .encoding = read_encoding(read)};
    std::int64_t address = 0;
    std::int64_t base = 0;
    take(read, "address", address);
    take(read, "base", base);
    location.first = static_cast<std::uint16_t>(address - base);
    location.count = location.encoding.words;
    return location;
}

/// What the checked keys of one `read` cannot say alone.
void check_location(const Location& location, const Profile& profile, const Limits& limits,
                    const Place& place, const std::string& path, Mistakes& mistakes)
{
    if (location.encoding.words > limits.max_words) {
        mistakes.add(place, path,
                     "takes " + std::to_string(location.count) +
                         " registers, more than transport.max_words allows at once");
    }
    const auto functions = integers(profile.transport, "function");
    const auto function = static_cast<std::int64_t>(location.function);
    if (!functions.empty() && std::ranges::find(functions, function) == functions.end()) {
        mistakes.add(place, path,
                     "needs function " + std::to_string(function) +
                         ", which transport.function does not list");
    }
}

}  // namespace

Settings read_settings(const SettingTable& transport)
{
    Settings settings;
    settings.timeout = duration_of(transport, "timeout", settings.timeout);
    settings.gap = duration_of(transport, "gap", settings.gap);
    take(transport, "retries", settings.retries);
    const auto rates = integers(get(transport, "rtu", SettingTable{}), "baud");
    if (!rates.empty()) {
        settings.baud = static_cast<std::uint32_t>(rates.front());
    }
    return settings;
}

RegisterMap read_map(const Profile& profile, Mistakes& mistakes)
{
    RegisterMap map;
    map.settings = read_settings(profile.transport);
    take(profile.transport, "max_words", map.limits.max_words);
    take(profile.transport, "max_gap", map.limits.max_gap);
    for (std::size_t i = 0; i < profile.points.size(); ++i) {
        const auto& point = profile.points[i];
        const auto path = "point " + (point.row ? point.row->of : point.id);
        map.points.push_back(read_location(point.read));
        check_location(map.points.back(), profile, map.limits, point.place, path + ".read",
                       mistakes);
    }
    for (std::size_t i = 0; i < profile.identify.size(); ++i) {
        const auto& read = profile.identify[i].read;
        map.identity.push_back(read_location(read));
        const auto place = read.empty() ? Place{profile.file} : read.begin()->second.place;
        check_location(map.identity.back(), profile, map.limits, place,
                       "identify[" + std::to_string(i) + "].read", mistakes);
    }
    return map;
}

std::string describe(const Block& block)
{
    if (block.function == Function::device_identification) {
        return "device identification";
    }
    const auto same = [&](const auto& known) { return known.second == block.function; };
    const auto table = std::find_if(tables.begin(), tables.end(), same);
    auto text = std::string(table->first) + " " + std::to_string(block.first);
    if (block.count > 1) {
        text += " to " + std::to_string(block.first + block.count - 1);
    }
    return text;
}

Cost cost_of(const Block& block, const RegisterMap& map)
{
    const Request request{1, block.function, block.first, block.count};
    const bool identification = block.function == Function::device_identification;
    const auto data = identification ? largest_frame - header_size - 2 : data_size(request);
    const auto asked = encode(0, request).size;
    const auto answered = header_size + 2 + data;
    Cost cost{.bytes = asked + answered};
    if (map.settings.baud) {
        // RTU has unit and CRC instead of the header; each frame is followed by 3.5
        // silent characters; a character is 11 bits (Modbus over serial line V1.02,
        // section 2.5.1).
        const auto characters = cost.bytes - 2 * (header_size - 1) + 2 * 2 + 7;
        cost.on_serial_line = std::chrono::nanoseconds(1'000'000'000LL * 11 / *map.settings.baud) *
                              static_cast<std::int64_t>(characters);
    }
    return cost;
}

}  // namespace gateway::modbus
