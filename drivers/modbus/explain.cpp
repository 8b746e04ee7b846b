#include "drivers/modbus/explain.hpp"

#include "drivers/modbus/register_map.hpp"
#include "drivers/modbus/rtu.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>

namespace gateway::modbus {

namespace {

constexpr std::size_t most_names = 8;

/// The request that the bytes hold: we have made them.
std::optional<Request> request_in(const ExchangeLog::Exchange& exchange)
{
    const auto sent = exchange.sent.view();
    const auto at = exchange.framing == Framing::modbus_tcp ? header_size - 1 : 0;
    constexpr std::size_t unit_and_pdu = 6;
    if (exchange.sent.is_cut() || sent.size() < at + 2) {
        return std::nullopt;
    }
    Request request{.unit = sent[at], .function = static_cast<Function>(sent[at + 1])};
    if (request.function == Function::device_identification || sent.size() < at + unit_and_pdu) {
        return request;
    }
    const auto word = [&](std::size_t from) {
        return static_cast<std::uint16_t>(sent[from] << 8 | sent[from + 1]);
    };
    request.first = word(at + 2);
    request.count = word(at + 4);
    return request;
}

std::string names_in(const Request& request, const Profile& profile,
                     std::span<const Location> locations)
{
    std::string names;
    std::size_t count = 0;
    const auto end = request.first + request.count;
    for (std::size_t row = 0; row < std::min(locations.size(), profile.points.size()); ++row) {
        const auto& place = locations[row];
        if (place.function != request.function || place.first < request.first ||
            place.first + place.count > end) {
            continue;
        }
        if (++count <= most_names) {
            names += (count == 1 ? ": " : ", ") + profile.points[row].id;
        }
    }
    return count > most_names ? names + ", and " + std::to_string(count - most_names) + " more"
                              : names;
}

std::string milliseconds(std::chrono::steady_clock::duration took)
{
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()) +
           " ms";
}

std::string checksum_text(const ExchangeLog::Exchange& exchange)
{
    const auto bytes = exchange.received.view();
    if (exchange.received.is_cut() || bytes.size() < 4) {
        return {};
    }
    const auto crc = crc16(bytes.first(bytes.size() - 2));
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), " (%02x %02x, expected %02x %02x)",
                  bytes[bytes.size() - 2], bytes.back(), crc & 0xFFU, crc >> 8U);
    return text.data();
}

}  // namespace

std::string_view exception_text(std::uint8_t code)
{
    switch (code) {
        case 1:
            return "illegal function: the unit does not know this kind of request";
        case 2:
            return "illegal data address: the unit has not all of these registers";
        case 3:
            return "illegal data value: the unit does not give so many registers at once";
        case 4:
            return "device failure: the unit could not do it";
        case 5:
            return "acknowledge: the unit is still working on it";
        case 6:
            return "busy: the unit has something else to do";
        case 8:
            return "memory parity error: the unit's own memory is damaged";
        case 10:
            return "gateway path unavailable: the gateway before the unit is not set up for it";
        case 11:
            return "gateway target silent: the unit behind the gateway does not answer";
        default:
            return "not defined by the standard: see the maker's manual";
    }
}

std::string explain_request(const ExchangeLog::Exchange& exchange, const Profile& profile,
                            std::span<const Location> locations)
{
    const auto request = request_in(exchange);
    if (!request) {
        return exchange.sent.size == 0 ? "nothing could be sent" : "";
    }
    return "asks unit " + std::to_string(request->unit) + " for " +
           describe(Block{request->function, request->first, request->count, {}}) +
           names_in(*request, profile, locations);
}

std::string explain_answer(const ExchangeLog::Exchange& exchange)
{
    const auto size = std::to_string(exchange.received.size);
    if (exchange.refusal != 0) {
        return "refused: exception " + std::to_string(exchange.refusal) + ", " +
               std::string(exception_text(exchange.refusal));
    }
    if (!exchange.error) {
        return "answered in " + milliseconds(exchange.took);
    }
    if (exchange.error == Fault::timed_out) {
        return "no answer; given up after " + milliseconds(exchange.took);
    }
    if (exchange.error == Fault::short_frame) {
        return "the answer broke off after " + size + " bytes";
    }
    if (exchange.error == Fault::bad_checksum) {
        return "wrong CRC at the end" + checksum_text(exchange) +
               ": noise, another rate or parity, or two units of one number";
    }
    if (exchange.error == Fault::unexpected_reply) {
        return "what came is no answer to this request";
    }
    return exchange.error.message();
}

}  // namespace gateway::modbus
