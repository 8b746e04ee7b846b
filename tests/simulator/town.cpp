#include "tests/simulator/town.hpp"

#include "gateway/config/literal.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace simulator {

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;
using gateway::Bytes;
using gateway::ByteView;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::uint8_t gateway_target_silent = 11;

/// Whoever asked has closed the connection: nobody hears an answer, so none is served.
bool is_gone(tcp::socket& socket)
{
    pollfd about{socket.native_handle(), POLLRDHUP, 0};
    return ::poll(&about, 1, 0) > 0;
}

bool is_gone(asio::posix::stream_descriptor&)
{
    return false;
}

tcp::endpoint endpoint_of(const std::string& listen)
{
    const auto where = gateway::parse_host_port(listen);
    boost::system::error_code error;
    // Port 0, any free one, is no place to connect to, so the literal's own check refuses it.
    const auto colon = listen.rfind(':');
    const auto host = where ? where->host : listen.substr(0, colon);
    const auto address = asio::ip::make_address(host, error);
    if (error || colon == std::string::npos) {
        throw std::runtime_error("listen = \"" + listen + "\": write \"127.0.0.1:0\"");
    }
    return {address, where ? where->port : std::uint16_t{0}};
}

/// The ends of a pseudo terminal; the link leads to the far one.
std::pair<int, int> open_terminal(const std::string& link)
{
    std::array<char, 64> name{};
    const int file = ::posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    const bool made = file >= 0 && ::grantpt(file) == 0 && ::unlockpt(file) == 0 &&
                      ::ptsname_r(file, name.data(), name.size()) == 0;
    // While nobody has the far end open, reading the near end fails; this keeps it open.
    const int far = made ? ::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
    termios raw{};
    ::cfmakeraw(&raw);
    ::unlink(link.c_str());
    if (far < 0 || ::tcsetattr(far, TCSANOW, &raw) != 0 ||
        ::symlink(name.data(), link.c_str()) != 0) {
        throw std::runtime_error("serial = \"" + link + "\": no pseudo terminal can be had there");
    }
    return {file, far};
}

Damage damage_of(Fault::Kind kind)
{
    return {.short_frame = kind == Fault::Kind::short_frame,
            .wrong_transaction = kind == Fault::Kind::wrong_transaction,
            .wrong_unit = kind == Fault::Kind::wrong_unit,
            .bad_crc = kind == Fault::Kind::bad_crc,
            .noise_before = kind == Fault::Kind::noise_before,
            .noise_after = kind == Fault::Kind::noise_after};
}

}  // namespace

/// One listening socket or pseudo terminal, and the units behind it.
struct Town::Port {
    Port(asio::io_context& io, const Device& first)
        : acceptor(io),
          terminal(io),
          far_end(io),
          framing(first.framing),
          character(first.baud == 0 ? 0ns : gateway::Duration(1s) * 11 / first.baud),
          echo(first.echo),
          link(first.serial)
    {
        if (link.empty()) {
            acceptor = tcp::acceptor(io, endpoint_of(first.listen));
        } else {
            const auto [near, far] = open_terminal(link);
            terminal.assign(near);
            far_end.assign(far);
        }
    }
    Port(const Port&) = delete;
    Port& operator=(const Port&) = delete;
    ~Port()
    {
        if (!link.empty()) {
            ::unlink(link.c_str());
        }
    }

    tcp::acceptor acceptor;
    asio::posix::stream_descriptor terminal, far_end;
    Framing framing;
    gateway::Duration character;
    bool echo;
    std::string link;
    std::map<std::uint8_t, Unit*> units;
};

Town::Town(asio::io_context& io, Scene scene)
    : random_(scene.seed),
      started_(std::chrono::steady_clock::now()),
      lines_(io, std::move(scene.lines), scene.seed),
      tasks_(io.get_executor())
{
    if (!scene.log.empty()) {
        log_ = std::fopen(scene.log.c_str(), "ae");
        if (log_ == nullptr) {
            throw std::runtime_error(scene.log + " cannot be written");
        }
        std::setvbuf(log_, nullptr, _IOLBF, BUFSIZ);  // whoever watches the town follows the log
    }
    for (auto& device : scene.devices) {
        const auto known = port_of_.find(device.behind);
        auto* port = known == port_of_.end() ? nullptr : known->second;
        if (device.behind.empty()) {
            port = ports_.emplace_back(std::make_unique<Port>(io, device)).get();
        }
        if (port == nullptr || port_of_.contains(device.id)) {
            throw std::runtime_error("device " + device.id +
                                     ": its id is taken, or the device it " +
                                     "is behind comes later");
        }
        port_of_[device.id] = port;
        const auto unit = device.unit;
        port->units[unit] =
            units_.emplace_back(std::make_unique<Unit>(std::move(device), random_, log_)).get();
    }
    for (const auto& port : ports_) {
        tasks_.spawn("port",
                     port->link.empty() ? accept(*port) : serve(std::move(port->terminal), *port));
    }
}

Town::~Town()
{
    if (log_ != nullptr) {
        std::fclose(log_);
    }
}

std::uint16_t Town::port(std::string_view device) const
{
    const auto& port = *port_of_.find(device)->second;
    return port.link.empty() ? port.acceptor.local_endpoint().port() : std::uint16_t{0};
}

const Served& Town::served(std::string_view device) const
{
    const auto named = [device](const auto& unit) { return unit->device().id == device; };
    return (*std::find_if(units_.begin(), units_.end(), named))->served();
}

std::string Town::ready_line() const
{
    std::string line = R"({"ready":true,"devices":[)";
    for (const auto& unit : units_) {
        const auto& device = unit->device();
        line += (unit == units_.front() ? R"({"id":")" : R"(,{"id":")") + device.id +
                R"(","port":)" + std::to_string(port(device.id)) + R"(,"unit":)" +
                std::to_string(device.unit) + "}";
    }
    return line + lines_.ready_entries(units_.empty()) + "]}";
}

std::string Town::summary_line() const
{
    Served all;
    std::string devices;
    for (const auto& unit : units_) {
        const auto& served = unit->served();
        all.requests += served.requests;
        all.registers += served.registers;
        devices += (devices.empty() ? R"({"id":")" : R"(,{"id":")") + unit->device().id +
                   R"(","requests":)" + std::to_string(served.requests) + R"(,"registers":)" +
                   std::to_string(served.registers) + "}";
    }
    return R"({"requests":)" + std::to_string(all.requests) + R"(,"registers":)" +
           std::to_string(all.registers) + R"(,"connections":)" + std::to_string(connections_) +
           R"(,"devices":[)" + devices + "]}";
}

asio::awaitable<void> Town::stop()
{
    tasks_.cancel();
    co_await tasks_.join();
    co_await lines_.stop();
}

double Town::seconds() const
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
}

asio::awaitable<void> Town::accept(Port& port)
{
    for (;;) {
        auto [error, socket] = co_await port.acceptor.async_accept(as_result);
        if (error == asio::error::operation_aborted) {
            co_return;
        }
        if (!error) {
            ++connections_;
            boost::system::error_code ignored;
            socket.set_option(tcp::no_delay(true), ignored);
            tasks_.spawn("connection", serve(std::move(socket), port));
        }
    }
}

template <typename Stream>
asio::awaitable<void> Town::serve(Stream stream, Port& port)
{
    std::array<std::uint8_t, 1024> buffer{};
    std::size_t held = 0;
    for (;;) {
        auto [error, count] = co_await stream.async_read_some(
            asio::buffer(buffer.data() + held, buffer.size() - held), as_result);
        if (error) {
            co_return;
        }
        held += count;
        std::size_t used = 0;
        while (const auto asked =
                   next_request(port.framing, ByteView(buffer).subspan(used, held - used))) {
            used += asked->size;
            if (asked->pdu.empty()) {
                continue;  // it was no request
            }
            if (is_gone(stream) || !co_await answer(stream, port, *asked)) {
                co_return;
            }
        }
        std::copy(buffer.begin() + static_cast<std::ptrdiff_t>(used),
                  buffer.begin() + static_cast<std::ptrdiff_t>(held), buffer.begin());
        held -= used;
    }
}

template <typename Stream>
asio::awaitable<bool> Town::answer(Stream& stream, Port& port, Asked asked)
{
    const auto found = port.units.find(asked.unit);
    auto* unit = found == port.units.end() ? nullptr : found->second;
    if (port.echo) {
        const auto echo = frame_of(port.framing, asked, asked.pdu, {});
        co_await asio::async_write(stream, asio::buffer(echo), as_result);
    }
    if (unit == nullptr && port.framing == Framing::rtu) {
        co_return true;  // nobody is there
    }
    const auto pdu = unit == nullptr ? Bytes{static_cast<std::uint8_t>(asked.pdu[0] | 0x80),
                                             gateway_target_silent}
                                     : unit->answer(asked.pdu, seconds());
    const auto* fault = unit == nullptr ? nullptr : unit->fault(seconds());
    const auto kind = fault == nullptr ? Fault::Kind::exception : fault->kind;
    if (kind == Fault::Kind::silent || kind == Fault::Kind::close) {
        co_return kind == Fault::Kind::silent;
    }
    const auto reply = frame_of(port.framing, asked, pdu, damage_of(kind));
    // A unit waits for 3.5 characters of silence before it answers.
    const auto on_line = port.character * static_cast<int>(2 * (asked.size + reply.size()) + 7) / 2;
    const auto late = on_line + (kind == Fault::Kind::delay ? fault->delay : 0ns);
    if (late > 0ns) {
        asio::steady_timer timer(stream.get_executor(), late);
        co_await timer.async_wait(asio::use_awaitable);
    }
    auto [error, count] = co_await asio::async_write(stream, asio::buffer(reply), as_result);
    co_return !error;
}

}  // namespace simulator
