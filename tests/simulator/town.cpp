#include "tests/simulator/town.hpp"

#include "gateway/config/literal.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace simulator {

namespace asio = boost::asio;
using asio::ip::tcp;
using gateway::Bytes;
using gateway::ByteView;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t prefix = 6;  // transaction, protocol, length
constexpr std::uint8_t gateway_target_silent = 11;

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

}  // namespace

/// One listening socket and the units behind it.
struct Town::Port {
    Port(asio::io_context& io, const std::string& listen) : acceptor(io, endpoint_of(listen)) {}

    tcp::acceptor acceptor;
    std::map<std::uint8_t, Unit*> units;
};

Town::Town(asio::io_context& io, Scene scene)
    : random_(scene.seed), started_(std::chrono::steady_clock::now()), tasks_(io.get_executor())
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
            port = ports_.emplace_back(std::make_unique<Port>(io, device.listen)).get();
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
        tasks_.spawn("port", accept(*port));
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
    return port_of_.find(device)->second->acceptor.local_endpoint().port();
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
    return line + "]}";
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
            tasks_.spawn("connection", serve(std::move(socket), port));
        }
    }
}

asio::awaitable<void> Town::serve(tcp::socket socket, Port& port)
{
    boost::system::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    std::array<std::uint8_t, 1024> buffer{};
    std::size_t held = 0;
    for (;;) {
        auto [error, count] = co_await socket.async_read_some(
            asio::buffer(buffer.data() + held, buffer.size() - held), as_result);
        if (error) {
            co_return;
        }
        held += count;
        std::size_t used = 0;
        while (held - used >= prefix) {
            const auto begun = ByteView(buffer).subspan(used, held - used);
            const std::size_t size = prefix + static_cast<std::size_t>((begun[4] << 8) | begun[5]);
            if (size < prefix + 2 || size > gateway::modbus::largest_frame) {
                co_return;
            }
            if (begun.size() < size) {
                break;
            }
            if (!co_await answer(socket, port, begun.first(size))) {
                co_return;
            }
            used += size;
        }
        std::copy(buffer.begin() + static_cast<std::ptrdiff_t>(used),
                  buffer.begin() + static_cast<std::ptrdiff_t>(held), buffer.begin());
        held -= used;
    }
}

/// False: the connection is to end.
asio::awaitable<bool> Town::answer(tcp::socket& socket, Port& port, ByteView frame)
{
    const auto found = port.units.find(frame[prefix]);
    const auto pdu = frame.subspan(prefix + 1);
    auto* unit = found == port.units.end() ? nullptr : found->second;
    const auto answered =
        unit == nullptr ? Bytes{static_cast<std::uint8_t>(pdu[0] | 0x80), gateway_target_silent}
                        : unit->answer(pdu, seconds());
    Bytes reply(prefix + 1 + answered.size());
    std::copy(answered.begin(), answered.end(),
              std::copy_n(frame.begin(), prefix + 1, reply.begin()));
    const auto length = answered.size() + 1;
    reply[4] = static_cast<std::uint8_t>(length >> 8);
    reply[5] = static_cast<std::uint8_t>(length);
    const auto* fault = unit == nullptr ? nullptr : unit->fault(seconds());
    switch (fault == nullptr ? Fault::Kind::exception : fault->kind) {
        case Fault::Kind::exception:  // the unit has answered so itself
            break;
        case Fault::Kind::silent:
            co_return true;
        case Fault::Kind::close:
            co_return false;
        case Fault::Kind::short_frame:
            reply.resize(reply.size() / 2);
            break;
        case Fault::Kind::wrong_transaction:
            ++reply[1];
            break;
        case Fault::Kind::delay: {
            asio::steady_timer later(socket.get_executor(), fault->delay);
            co_await later.async_wait(asio::use_awaitable);
            break;
        }
    }
    auto [error, count] = co_await asio::async_write(socket, asio::buffer(reply), as_result);
    co_return !error;
}

}  // namespace simulator
