#include "drivers/registry_text.hpp"

#include "drivers/ascii/driver.hpp"
#include "drivers/ascii/example.hpp"
#include "drivers/sysfs/driver.hpp"
#include "drivers/sysfs/example.hpp"
#include "gateway/acquire/due_rows.hpp"
#include "gateway/config/literal.hpp"

#include <array>
#include <cstdio>
#include <map>
#include <string_view>
#include <utility>

namespace gateway {

namespace {

std::string names_of(const Profile& profile, PointSet rows)
{
    std::string names;
    for (const auto row : rows) {
        names += (names.empty() ? "" : ", ") + profile.points[row].id;
    }
    return names;
}

// What is no plain character as <0d>.
std::string printable(ByteView bytes)
{
    constexpr std::uint8_t first = 0x20, last = 0x7E;
    std::string text;
    for (const auto byte : bytes) {
        if (byte >= first && byte <= last) {
            text += static_cast<char>(byte);
        } else {
            std::array<char, 8> code{};
            std::snprintf(code.data(), code.size(), "<%02x>", byte);
            text += code.data();
        }
    }
    return text;
}

std::shared_ptr<StreamBus> bus_of(const SiteDevice& device, const DriverContext& context,
                                  Mistakes& mistakes)
{
    if (device.connect.contains("serial")) {
        return context.buses.serial(serial_line(device.connect), device.connect_place, mistakes);
    }
    const auto tcp = parse_host_port(get(device.connect, "tcp", std::string()));
    return tcp ? context.buses.tcp(tcp->host, tcp->port) : nullptr;
}

/// A request as people read it: "0R1\\r\\n".
std::string visible(const std::string& bytes)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const char letter : bytes) {
        const auto byte = static_cast<unsigned char>(letter);
        if (letter == '\r' || letter == '\n') {
            text += letter == '\r' ? "\\r" : "\\n";
        } else if (byte < ' ' || byte > '~') {
            text += "\\x";
            text += digits[byte >> 4];
            text += digits[byte & 0xFU];
        } else {
            text += letter;
        }
    }
    return text;
}

/// The bytes of the lines that the first example of this request shows; 0 when there is none.
std::size_t answer_size(const Profile& profile, const ascii::LineMap& map, std::size_t request)
{
    for (const auto& example : profile.examples) {
        const auto own =
            get(example.raw, "request", get(profile.transport, "request", std::string()));
        const auto bytes =
            ascii::request_bytes(map.grammar, own, std::string(ascii::usual_address));
        std::size_t size = 0;
        for (const auto& line : get(example.raw, "lines", SettingList{})) {
            size += std::get<std::string>(line.value).size() + 2;
        }
        if (request < map.requests.size() && bytes == map.requests[request]) {
            return size;
        }
    }
    return 0;
}

Duration time_on_line(const Profile& profile, std::size_t bytes)
{
    constexpr std::int64_t bits_of_a_character = 10;
    const auto line = get(profile.transport, "line", SettingTable{});
    const auto rates = get(line, "baud", SettingList{});
    return rates.empty() ? Duration::zero()
                         : std::chrono::nanoseconds(1'000'000'000LL * bits_of_a_character *
                                                    static_cast<std::int64_t>(bytes) /
                                                    std::get<std::int64_t>(rates[0].value));
}

}  // namespace

std::unique_ptr<Driver> make_ascii(const DeviceConfig& device, const DriverContext& context,
                                   Mistakes& mistakes)
{
    Mistakes own;
    auto map =
        ascii::read_map(*device.profile, get(device.site.connect, "address", std::string()), own);
    auto bus = bus_of(device.site, context, own);
    mistakes.add(own);
    return own.empty() ? std::make_unique<ascii::AsciiDriver>(std::move(bus), std::move(map),
                                                              context.exchanges)
                       : nullptr;
}

void check_ascii(const Profile& profile, Mistakes& mistakes)
{
    ascii::read_map(profile, std::string(ascii::usual_address), mistakes);
}

std::vector<std::string> run_ascii_examples(const Profile& profile)
{
    return ascii::run_examples(profile);
}

ExchangeText explain_lines(const ExchangeLog::Exchange& exchange)
{
    ExchangeText text{.request = exchange.sent.size == 0
                                     ? std::string("listens")
                                     : "asks \"" + printable(exchange.sent.view()) + "\"",
                      .answer = {}};
    if (exchange.received.size > 0) {
        text.answer = "heard \"" + printable(exchange.received.view()) + "\"";
    }
    if (exchange.error) {
        const auto why = exchange.error == Fault::timed_out
                             ? std::string("nothing that was asked for")
                             : exchange.error.message();
        text.answer += (text.answer.empty() ? "" : ": ") + why;
    }
    return text;
}

std::vector<PlannedRequest> describe_ascii(const Profile& profile)
{
    Mistakes mistakes;
    const auto map = ascii::read_map(profile, std::string(ascii::usual_address), mistakes);
    std::map<std::pair<Duration, std::size_t>, std::vector<std::uint16_t>> groups;
    DueRows with(profile);
    for (const auto& [poll, due] : rows_by_poll(profile)) {
        for (const auto row : with.with_companions(due)) {
            groups[{poll, map.request_of_point[row]}].push_back(row);
        }
    }
    std::vector<PlannedRequest> requests;
    for (const auto& [key, rows] : groups) {
        const auto& [poll, request] = key;
        if (map.settings.talking) {
            requests.push_back({.poll = poll, .text = "listens: " + names_of(profile, rows)});
            continue;
        }
        const auto& bytes = map.requests[request];
        const auto size = bytes.size() + answer_size(profile, map, request);
        requests.push_back({.poll = poll,
                            .text = "\"" + visible(bytes) + "\": " + names_of(profile, rows),
                            .bytes = size,
                            .on_serial_line = time_on_line(profile, size)});
    }
    return requests;
}

std::unique_ptr<Driver> make_sysfs(const DeviceConfig& device, const DriverContext& context,
                                   Mistakes& /*mistakes*/)
{
    return std::make_unique<sysfs::SysfsDriver>(context.files,
                                                get(device.site.connect, "path", std::string()),
                                                sysfs::read_map(*device.profile));
}

void check_sysfs(const Profile& /*profile*/, Mistakes& /*mistakes*/) {}

std::vector<std::string> run_sysfs_examples(const Profile& profile)
{
    return sysfs::run_examples(profile, sysfs::read_map(profile));
}

std::vector<PlannedRequest> describe_sysfs(const Profile& profile)
{
    const auto map = sysfs::read_map(profile);
    std::vector<PlannedRequest> requests;
    DueRows with(profile);
    for (const auto& [poll, due] : rows_by_poll(profile)) {
        for (const auto& rows : sysfs::by_files(map.points, with.with_companions(due))) {
            requests.push_back(
                {.poll = poll,
                 .text = map.points[rows.front()].file + ": " + names_of(profile, rows)});
        }
    }
    return requests;
}

}  // namespace gateway
