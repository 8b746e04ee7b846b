#include "drivers/modbus/client.hpp"

#include "gateway/config/literal.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <utility>

namespace gateway::modbus {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr std::uint8_t device_busy = 6;
constexpr std::uint8_t gateway_path_unavailable = 10;
constexpr std::uint8_t gateway_target_silent = 11;

// An adapter on USB and a busy box add to the 3.5 characters of the standard, a
// network more.
constexpr auto serial_pause = 50ms;
constexpr auto network_pause = 300ms;

bool worth_repeating(const Error& error)
{
    return error == Fault::timed_out || error == Fault::short_frame ||
           error == Fault::bad_checksum || error == Fault::unexpected_reply ||
           error == Fault::closed || error == asio::error::connection_reset ||
           error == asio::error::broken_pipe;
}

/// Above 19,200 baud the silent interval is fixed (Modbus over serial line
/// V1.02, 2.5.1.1).
Duration silent_interval(const SerialLine& line)
{
    return line.baud > 19'200 ? Duration(1750us) : time_on(line, 7) / 2;
}

Result<Answer> as_error(const Answer& answer)
{
    if (answer.exception == gateway_target_silent) {
        return Fault::timed_out;
    }
    if (answer.exception == gateway_path_unavailable) {
        return asio::error::make_error_code(asio::error::host_unreachable);
    }
    return answer;
}

std::unique_ptr<Link> make_serial_link(const SiteDevice& device, const Settings& settings,
                                       Buses& buses, Mistakes& mistakes)
{
    const auto line = serial_line(device.connect);
    auto bus = buses.serial(line, device.place, mistakes);
    if (!bus) {
        return nullptr;
    }
    const auto silence = silent_interval(line);
    return make_rtu_link({.bus = std::move(bus),
                          .timeout = settings.timeout,
                          .gap = std::max(silence, settings.gap),
                          .character = time_on(line, 1),
                          .pause = silence + serial_pause});
}

std::unique_ptr<Link> make_link(const SiteDevice& device, const Settings& settings, Buses& buses,
                                Mistakes& mistakes)
{
    const auto text = [&](const char* key) { return get(device.connect, key, std::string()); };
    if (const auto tcp = parse_host_port(text("tcp"))) {
        return make_tcp_link(buses.tcp(tcp->host, tcp->port), settings.timeout, settings.gap);
    }
    if (const auto tcp = parse_host_port(text("rtu_over_tcp"))) {
        // How fast the line behind it is nobody says; the maker's first choice is
        // likely.
        constexpr int bits = 11;
        const Duration character = settings.baud ? Duration(1s) * bits / *settings.baud : 0s;
        return make_rtu_link({.bus = buses.tcp(tcp->host, tcp->port),
                              .timeout = settings.timeout,
                              .gap = settings.gap,
                              .character = character,
                              .pause = network_pause,
                              .reopen_when_late = true});
    }
    return make_serial_link(device, settings, buses, mistakes);
}

}  // namespace

Client::Client(std::unique_ptr<Link> link, std::uint8_t unit, unsigned retries)
    : link_(std::move(link)), unit_(unit), retries_(retries)
{
}

asio::awaitable<Result<Answer>> Client::ask(Request request, Buffer& buffer)
{
    request.unit = unit_;
    const auto attempts = silent_ ? 1 : retries_ + 1;
    Result<Answer> answer = Fault::timed_out;
    for (unsigned i = 0; i < attempts; ++i) {
        const auto begun = std::chrono::steady_clock::now();
        Wire wire;
        answer = co_await link_->exchange(request, buffer, wire);
        keep(answer, wire, buffer, begun);
        if (answer) {
            answer = as_error(*answer);
        }
        const bool again =
            answer ? answer->exception == device_busy : worth_repeating(answer.error());
        if (!again) {
            break;
        }
    }
    co_return answer;
}

void Client::keep(const Result<Answer>& answer, const Wire& wire, const Buffer& buffer,
                  std::chrono::steady_clock::time_point begun)
{
    if (log_ != nullptr) {
        const auto now = std::chrono::steady_clock::now();
        const ExchangeLog::Exchange exchange{
            .framing = wire.framing,
            .at = now,
            .took = now - begun,
            .error = answer ? Error() : answer.error(),
            .refusal = answer ? answer->exception : std::uint8_t{0}};
        log_->add(exchange, wire.sent.view(), ByteView(buffer).first(wire.received));
    }
}

std::shared_ptr<Client> make_client(const SiteDevice& device, const Settings& settings,
                                    Buses& buses, Mistakes& mistakes)
{
    auto link = make_link(device, settings, buses, mistakes);
    if (!link) {
        return nullptr;
    }
    const auto unit = get(device.connect, "unit", std::int64_t{1});
    return std::make_shared<Client>(std::move(link), static_cast<std::uint8_t>(unit),
                                    settings.retries);
}

}  // namespace gateway::modbus
