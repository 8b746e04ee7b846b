#include "gateway/config/driver_schema.hpp"

#include <algorithm>

namespace gateway {

namespace {

bool contains(const SettingTable& table, std::string_view key, const Setting& wanted)
{
    const auto* list = find(table, key);
    const auto* items = list == nullptr ? nullptr : std::get_if<SettingList>(&list->value);
    return items == nullptr || items->empty() ||
           std::ranges::any_of(*items, [&](const Setting& item) { return item == wanted; });
}

void check_types(const SettingTable& read, const Field& field)
{
    const auto table = get<std::string>(read, "table", {});
    const auto type = get<std::string>(read, "type", {});
    const bool bit_table = table == "coil" || table == "discrete";
    if (bit_table && type != "bit") {
        field.mistake("a " + table + " is one bit; write type = \"bit\"");
    }
    if (!bit_table && (type == "bit") != read.contains("bit")) {
        field.mistake(type == "bit" ? "which bit is not said; write bit = 0 to 15"
                                    : "bit belongs to type = \"bit\"; write bits = [first, last]");
    }
    if (bit_table && (read.contains("bit") || read.contains("words"))) {
        field.mistake("a " + table + " has no bit and no words; leave them out");
    }
    if ((type == "text") != read.contains("count")) {
        field.mistake(type == "text" ? "how many registers the text has is not said; write count"
                                     : "count belongs to type = \"text\"; leave it out");
    }
}

void check_bits(const SettingTable& read, const Field& field)
{
    const auto* bits = find(read, "bits");
    if (bits == nullptr) {
        return;
    }
    const auto type = get<std::string>(read, "type", {});
    const auto& list = std::get<SettingList>(bits->value);
    const auto number = [&list](std::size_t i) { return std::get<std::int64_t>(list[i].value); };
    if (type != "uint16" && type != "uint32") {
        field.mistake("bits belong to type = \"uint16\" or \"uint32\"");
    } else if (list.size() != 2 || number(0) > number(1) ||
               number(1) > (type == "uint16" ? 15 : 31)) {
        field.mistake("bits is not a range inside the " + type + "; write [lowest bit, highest]");
    }
}

}  // namespace

std::int64_t modbus_width(const SettingTable& read)
{
    const auto type = get<std::string>(read, "type", {});
    if (type == "text") {
        return get<std::int64_t>(read, "count", 1);
    }
    return type.ends_with("64") ? 4 : type.ends_with("32") ? 2 : 1;
}

void check_modbus_read(const SettingTable& read, const Field& field)
{
    for (const auto* key : {"table", "address", "base", "type"}) {
        if (!read.contains(key)) {
            return;  // an identification object, or said already
        }
    }
    check_types(read, field);
    check_bits(read, field);
    const auto first = get<std::int64_t>(read, "address", 0) - get<std::int64_t>(read, "base", 0);
    if (first < 0) {
        field.mistake("address 0 does not exist when base = 1");
    } else if (first + modbus_width(read) > 65'536) {
        field.mistake("reaches past the last register, 65535 counted from 0");
    }
}

void check_sunspec_read(const SettingTable& read, const Field& field)
{
    const auto type = get<std::string>(read, "type", {});
    if ((type == "text") != read.contains("count")) {
        field.mistake(type == "text" ? "how many registers the text has is not said; write count"
                                     : "count belongs to type = \"text\"; leave it out");
    }
    const bool grouped = read.contains("group");
    if (read.contains("group_scale_factor") && (!grouped || read.contains("scale_factor"))) {
        field.mistake(
            "group_scale_factor lies in a group, instead of scale_factor; write group = "
            "{ first = 8, size = 20, repeat = 1 }");
    }
    const bool factor = read.contains("scale_factor") || read.contains("group_scale_factor");
    if (factor && (type == "text" || type.starts_with("enum") || type.starts_with("bitfield"))) {
        field.mistake("a scale factor belongs to a number, not to " + type + "; leave it out");
    }
}

void check_modbus_connect(const SettingTable& transport, const SettingTable& connect,
                          const Field& field)
{
    const bool tcp = connect.contains("tcp");
    const Setting mode{.value = std::string(tcp ? "tcp" : "rtu"), .place = {}};
    if (!contains(transport, "modes", mode)) {
        field.mistake("the profile does not offer " + std::get<std::string>(mode.value) +
                      " (its transport.modes)");
    }
    if (tcp) {
        return;
    }
    const auto rtu = get<SettingTable>(transport, "rtu", {});
    for (const auto* key : {"baud", "parity"}) {
        const auto* given = find(connect, key);
        if (given != nullptr && !contains(rtu, key, *given)) {
            field.mistake(std::string(key) + " " + quote(*given) +
                          " is not one the profile lists (its transport.rtu)");
        }
    }
    const auto* units = find(rtu, "unit");
    const auto* ends = units == nullptr ? nullptr : std::get_if<SettingList>(&units->value);
    if (const auto* unit = find(connect, "unit");
        unit != nullptr && ends != nullptr && ends->size() == 2) {
        const auto end = [ends](std::size_t i) { return std::get<std::int64_t>((*ends)[i].value); };
        const auto number = std::get<std::int64_t>(unit->value);
        if (number < end(0) || number > end(1)) {
            field.mistake("unit " + std::to_string(number) + " is outside the profile's " +
                          std::to_string(end(0)) + " to " + std::to_string(end(1)));
        }
    }
}

}  // namespace gateway
