#include "gateway/config/driver_schema.hpp"

#include "gateway/config/json_schema.hpp"

#include <algorithm>
#include <array>

namespace gateway {

namespace {

using namespace rules;

constexpr Format address_format{[](std::string_view text) {
                                    return !text.empty() && text.size() <= 5 &&
                                           text.find_first_not_of("0123456789") ==
                                               std::string_view::npos;
                                },
                                "an address; write a number from 0 to 65535"};

constexpr Format below_format{is_below,
                              "a path below the device's; write \"w1_slave\" or "
                              "\"hwmon*/temp1_input\", one star in a part"};

constexpr Format folder_format{[](std::string_view text) {
                                   return text.starts_with('/') &&
                                          text.find('\0') == std::string_view::npos;
                               },
                               "an absolute path"};

constexpr Format zone_format{is_zone, "a time zone; write \"+01:00\""};

constexpr std::string_view parities = "even|odd|none";
constexpr std::string_view text_types = "int64|float64|text|hex";
constexpr auto retries = integer("retries", 0, 10);

// Modbus

constexpr auto modbus_rtu = keys(list(integer("baud", 300, 4'000'000)),
                                 list(choice("parity", parities)), list(integer("unit", 1, 247)));
constexpr auto modbus_tcp = keys(integer("port", 1, 65'535));
constexpr auto modbus_transport =
    keys(must(list(choice("modes", "rtu|tcp"))), table("rtu", modbus_rtu), table("tcp", modbus_tcp),
         duration("timeout"), retries, duration("gap"), integer("max_words", 1, 125),
         integer("max_gap", 0, 124), list(integer("function", 1, 43)));
constexpr auto modbus_read =
    keys(must(choice("table", "holding|input|coil|discrete")), must(integer("address", 0, 65'536)),
         must(integer("base", 0, 1)),
         must(choice("type",
                     "int16|uint16|int32|uint32|int64|uint64|float32|float64|bcd16|bcd32|bcd64|"
                     "text|bit")),
         choice("words", "big|little|big-swapped|little-swapped"), integer("count", 1, 125),
         integer("bit", 0, 15), list(integer("bits", 0, 31)));
constexpr auto modbus_object = keys(must(integer("mei", 0, 255)));
constexpr auto modbus_reads = forms(modbus_read);
constexpr auto modbus_identify = forms(modbus_read, modbus_object);
constexpr auto over_tcp = keys(must(text("tcp", host_port_format)), must(integer("unit", 0, 255)));
constexpr auto rtu_over_tcp =
    keys(must(text("rtu_over_tcp", host_port_format)), must(integer("unit", 1, 247)));
constexpr auto over_serial =
    keys(must(text("serial", path_format)), must(integer("baud", 300, 4'000'000)),
         must(choice("parity", parities)), integer("stop", 1, 2), must(integer("unit", 1, 247)));
constexpr auto modbus_connect = forms(over_tcp, over_serial, rtu_over_tcp);
constexpr auto words = keys(list(integer("", 0, 65'535)));
constexpr auto bit_range = keys(list(integer("", 0, 1)));
constexpr auto one_text = keys(text(""));
constexpr auto modbus_tables =
    keys(map("holding", address_format, words), map("input", address_format, words),
         map("coil", address_format, bit_range), map("discrete", address_format, bit_range));
constexpr auto modbus_example =
    keys(must(table("registers", modbus_tables)), map("objects", address_format, one_text));

// SunSpec: models on Modbus, found by walking the chain

constexpr auto sunspec_transport =
    keys(must(list(choice("modes", "rtu|tcp"))), table("rtu", modbus_rtu), table("tcp", modbus_tcp),
         duration("timeout"), retries, duration("gap"), integer("max_words", 1, 125),
         list(integer("base", 0, 65'535)));
constexpr auto sunspec_group =
    keys(must(integer("first", 0, 65'535)), must(integer("size", 1, 1'024)),
         must(integer("repeat", 1, 256)));
constexpr auto sunspec_read =
    keys(must(integer("model", 1, 65'534)), integer("instance", 1, 64),
         table("group", sunspec_group), must(integer("offset", 0, 65'535)),
         must(choice("type",
                     "int16|uint16|int32|uint32|int64|uint64|float32|float64|text|acc16|acc32|"
                     "acc64|enum16|enum32|bitfield16|bitfield32|bitfield64")),
         integer("count", 1, 125), integer("scale_factor", 0, 65'535),
         integer("group_scale_factor", 0, 1'023));
constexpr auto sunspec_reads = forms(sunspec_read);

// SNMP

constexpr auto snmp_transport =
    keys(integer("port", 1, 65'535), must(list(choice("version", "3|2c"))), duration("timeout"),
         retries, integer("max_oids", 1, 100), text("prefix", oid_format));
constexpr auto snmp_read = keys(must(text("oid", oid_format)), list(text("fallback", oid_format)),
                                choice("type", "int64|uint64|float64|text"));
constexpr auto snmp_reads = forms(snmp_read);
constexpr auto snmp_udp =
    keys(must(text("udp", host_port_format)), choice("version", "3|2c"), text("user"),
         choice("auth", "sha|sha256|sha512"), choice("privacy", "aes|aes256"), text("context"));
constexpr auto snmp_connect = forms(snmp_udp);
constexpr auto one_scalar = keys(of_type("", RuleType::scalar));
constexpr auto snmp_example = keys(must(map("oids", oid_format, one_scalar)));

// SDI-12

constexpr auto sdi12_transport =
    keys(duration("timeout"), retries, duration("gap"), flag("crc"), flag("concurrent"));
constexpr Format sdi12_format{[](std::string_view text) {
                                  constexpr std::string_view letters = "MCRV";
                                  return !text.empty() && text.size() <= 3 &&
                                         letters.find(text[0]) != std::string_view::npos;
                              },
                              "a measurement; write \"M\", \"C1\", \"R0\" or \"V\""};
constexpr auto sdi12_read =
    keys(must(text("command", sdi12_format)), must(integer("value", 1, 99)));
constexpr auto sdi12_identity =
    keys(must(choice("identification", "vendor|model|version|serial|optional")));
constexpr auto sdi12_reads = forms(sdi12_read);
constexpr auto sdi12_identify = forms(sdi12_identity);
constexpr auto sdi12_serial = keys(must(text("serial", path_format)), must(text("address")));
constexpr auto sdi12_connect = forms(sdi12_serial);
constexpr auto sdi12_example = keys(must(map("answers", any_text, one_text)));

// Lines of text

constexpr auto ascii_frame =
    keys(text("start"), text("end"), text("separator"), choice("decimal", ".|,"),
         choice("checksum",
                "none|nmea|xor8|sum8|lrc8|crc16|crc16-arc|crc16-ccitt|crc16-xmodem|crc16-ascii3"),
         flag("checksum_required"), text("checked", regex_format),
         list(text("invalid", regex_format)), list(text("skip", regex_format)));
constexpr auto ascii_time =
    keys(must(text("match", regex_format)), must(text("format")), text("zone", zone_format));
constexpr auto ascii_serial_line =
    keys(list(integer("baud", 300, 4'000'000)), list(choice("parity", parities)),
         integer("bits", 7, 8), integer("stop", 1, 2));
constexpr auto ascii_transport =
    keys(must(choice("mode", "polled|talking")), table("line", ascii_serial_line),
         table("frame", ascii_frame), table("time", ascii_time), text("request"),
         duration("timeout"), duration("late"), retries, duration("gap"), duration("silence"),
         duration("stale"), integer("lines", 1, 64), flag("echo"), integer("max_line", 16, 16'384));

template <std::size_t size>
constexpr auto ascii_form(const std::array<Rule, size>& where)
{
    const auto common = keys(text("line", regex_format), text("request"),
                             choice("part", "value|unit"), text("suffix", regex_format),
                             list(integer("bits", 0, 63)), choice("type", text_types));
    std::array<Rule, size + common.size()> all{};
    std::ranges::copy(where, all.begin());
    std::ranges::copy(common, all.begin() + size);
    return all;
}
constexpr auto ascii_field = ascii_form(keys(must(integer("field", 0, 4'095))));
constexpr auto ascii_key = ascii_form(keys(must(text("key"))));
constexpr auto ascii_column =
    ascii_form(keys(must(integer("column", 1, 16'384)), must(integer("width", 1, 160))));
constexpr auto ascii_match = ascii_form(keys(must(text("match", regex_format))));
constexpr auto ascii_reads = forms(ascii_field, ascii_key, ascii_column, ascii_match);
constexpr auto ascii_serial =
    keys(must(text("serial", path_format)), must(integer("baud", 300, 4'000'000)),
         must(choice("parity", parities)), integer("bits", 7, 8), integer("stop", 1, 2),
         text("address"));
constexpr auto ascii_tcp = keys(must(text("tcp", host_port_format)), text("address"));
constexpr auto ascii_connect = forms(ascii_serial, ascii_tcp);
constexpr auto ascii_example =
    keys(must(list(text("lines", any_text, 16'384))), text("request"), text("address"));

// Files of the kernel, pulses, separate programs

constexpr auto sysfs_transport = keys(duration("timeout"), retries);
constexpr auto sysfs_beside =
    keys(must(text("file", below_format)), must(text("match", regex_format)));
constexpr auto sysfs_read =
    keys(must(text("file", below_format)), text("match", regex_format),
         text("intact", regex_format), list(table("where", sysfs_beside)),
         choice("pick", "only|first|lowest|highest"), text("times", below_format),
         text("plus", below_format), flag("optional"), choice("type", text_types));
constexpr auto sysfs_reads = forms(sysfs_read);
constexpr auto sysfs_path = keys(must(text("path", folder_format)));
constexpr auto sysfs_connect = forms(sysfs_path);
constexpr auto sysfs_text = keys(text("", any_text, 4'096));
constexpr auto sysfs_example = keys(must(map("files", any_text, sysfs_text)));

constexpr auto gpio_transport =
    keys(must(choice("edge", "falling|rising|both")), duration("debounce"),
         choice("bias", "pull-up|pull-down|disabled"), flag("active_low"));
constexpr auto gpio_count = keys(must(flag("count")));
constexpr auto gpio_state = keys(must(flag("state")));
constexpr auto gpio_reads = forms(gpio_count, gpio_state);
constexpr auto gpio_line = keys(must(text("chip", path_format)), must(integer("line", 0, 1'023)));
constexpr auto gpio_connect = forms(gpio_line);
constexpr auto gpio_example = keys(must(integer("pulses", 0, 4'294'967'295)));

constexpr auto external_transport =
    keys(duration("timeout"), integer("max_line", 1, 65'536), integer("protocol", 1, 1));
constexpr auto external_read =
    keys(must(text("key")), choice("type", "int64|uint64|float64|text|bool"));
constexpr auto external_reads = forms(external_read);
constexpr auto external_program = keys(must(text("program", id_format)), text("address"),
                                       map("settings", name_format, one_scalar));
constexpr auto external_connect = forms(external_program);
constexpr auto external_example = keys(must(list(text("lines", any_text, 4'096))));

constexpr std::array<DriverSchema, 10> schemas{{
    {.name = "modbus",
     .kind = "uint16",
     .transport = modbus_transport,
     .read = modbus_reads,
     .identify = modbus_identify,
     .connect = modbus_connect,
     .example = modbus_example,
     .row_key = "address",
     .check_read = check_modbus_read,
     .check_connect = check_modbus_connect},
    {.name = "sunspec",
     .kind = "int16",
     .transport = sunspec_transport,
     .read = sunspec_reads,
     .identify = sunspec_reads,
     .connect = modbus_connect,
     .example = modbus_example,
     .row_key = "offset",
     .check_read = check_sunspec_read,
     .check_connect = check_modbus_connect},
    {.name = "snmp",
     .kind = "int64",
     .transport = snmp_transport,
     .read = snmp_reads,
     .identify = snmp_reads,
     .connect = snmp_connect,
     .example = snmp_example},
    {.name = "sdi12",
     .kind = "float64",
     .transport = sdi12_transport,
     .read = sdi12_reads,
     .identify = sdi12_identify,
     .connect = sdi12_connect,
     .example = sdi12_example,
     .row_key = "value"},
    {.name = "ascii",
     .kind = "float64",
     .polled = false,
     .transport = ascii_transport,
     .read = ascii_reads,
     .identify = ascii_reads,
     .connect = ascii_connect,
     .example = ascii_example,
     .row_key = "field",
     .check_read = check_ascii_read},
    {.name = "http_json",
     .kind = "float64",
     .transport = json_schema::http_transport,
     .read = json_schema::http_reads,
     .identify = json_schema::http_reads,
     .connect = json_schema::http_connect,
     .example = json_schema::http_example,
     .check_read = check_json_read},
    {.name = "mqtt_json",
     .kind = "float64",
     .polled = false,
     .transport = json_schema::mqtt_transport,
     .read = json_schema::mqtt_reads,
     .identify = json_schema::mqtt_reads,
     .connect = json_schema::mqtt_connect,
     .example = json_schema::mqtt_example,
     .check_read = check_json_read},
    {.name = "sysfs",
     .kind = "int64",
     .transport = sysfs_transport,
     .read = sysfs_reads,
     .identify = sysfs_reads,
     .connect = sysfs_connect,
     .example = sysfs_example,
     .check_read = check_sysfs_read},
    {.name = "gpio_pulse",
     .kind = "uint64",
     .transport = gpio_transport,
     .read = gpio_reads,
     .identify = {},
     .connect = gpio_connect,
     .example = gpio_example},
    {.name = "external",
     .kind = "float64",
     .polled = false,
     .transport = external_transport,
     .read = external_reads,
     .identify = external_reads,
     .connect = external_connect,
     .example = external_example},
}};

}  // namespace

std::span<const DriverSchema> driver_schemas()
{
    return schemas;
}

const DriverSchema* driver_schema(std::string_view name)
{
    const auto* const found = std::ranges::find(schemas, name, &DriverSchema::name);
    return found == schemas.end() ? nullptr : &*found;
}

}  // namespace gateway
