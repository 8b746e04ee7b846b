#include "tests/simulator/line_town.hpp"

#include "gateway/config/literal.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace simulator {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

tcp::endpoint endpoint_of(const std::string& listen)
{
    const auto colon = listen.rfind(':');
    const auto where = gateway::parse_host_port(listen);
    return {asio::ip::make_address(listen.substr(0, colon)),
            where ? where->port : std::uint16_t{0}};
}

}  // namespace

struct LineTown::Connection {
    explicit Connection(tcp::socket connected) : socket(std::move(connected)) {}

    tcp::socket socket;
};

/// One listening socket and the device behind it.
struct LineTown::Stand {
    Stand(asio::io_context& io, LineDevice played)
        : device(std::move(played)), acceptor(io, endpoint_of(device.listen))
    {
    }

    LineDevice device;
    tcp::acceptor acceptor;
    std::vector<std::weak_ptr<Connection>> connections;
};

LineTown::LineTown(asio::io_context& io, std::vector<LineDevice> devices, unsigned seed)
    : random_(seed), started_(std::chrono::steady_clock::now()), tasks_(io.get_executor())
{
    for (auto& device : devices) {
        stands_.push_back(std::make_unique<Stand>(io, std::move(device)));
        tasks_.spawn("port", accept(*stands_.back()));
    }
}

LineTown::~LineTown() = default;

const LineTown::Stand& LineTown::stand(std::string_view device) const
{
    const auto named = [device](const auto& each) { return each->device.id == device; };
    return **std::ranges::find_if(stands_, named);
}

std::uint16_t LineTown::port(std::string_view device) const
{
    return stand(device).acceptor.local_endpoint().port();
}

std::uint64_t LineTown::requests(std::string_view device) const
{
    return stand(device).device.requests;
}

std::size_t LineTown::connections(std::string_view device) const
{
    return stand(device).connections.size();
}

void LineTown::shout(std::string_view device, std::string text)
{
    for (const auto& each : stand(device).connections) {
        if (const auto connection = each.lock()) {
            boost::system::error_code ignored;
            asio::write(connection->socket, asio::buffer(text), ignored);
        }
    }
}

std::string LineTown::ready_entries(bool first) const
{
    std::string entries;
    for (const auto& each : stands_) {
        entries += (first && entries.empty() ? R"({"id":")" : R"(,{"id":")") + each->device.id +
                   R"(","port":)" + std::to_string(port(each->device.id)) + "}";
    }
    return entries;
}

asio::awaitable<void> LineTown::stop()
{
    tasks_.cancel();
    co_await tasks_.join();
}

double LineTown::seconds() const
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
}

asio::awaitable<void> LineTown::accept(Stand& stand)
{
    for (;;) {
        auto [error, socket] = co_await stand.acceptor.async_accept(as_result);
        if (error == asio::error::operation_aborted) {
            co_return;
        }
        if (error) {
            continue;
        }
        auto connection = std::make_shared<Connection>(std::move(socket));
        stand.connections.push_back(connection);
        tasks_.spawn("listen", listen(connection, stand));
        if (stand.device.every > gateway::Duration::zero()) {
            tasks_.spawn("speak", speak(connection, stand));
        }
    }
}

asio::awaitable<void> LineTown::listen(std::shared_ptr<Connection> connection, Stand& stand)
{
    std::array<char, 512> buffer{};
    std::string heard;
    for (;;) {
        const auto [error, count] =
            co_await connection->socket.async_read_some(asio::buffer(buffer), as_result);
        if (error) {
            co_return;
        }
        heard.append(buffer.data(), count);
        for (const auto& [request, lines] : stand.device.answers) {
            const auto at = heard.find(request);
            if (at == std::string::npos) {
                continue;
            }
            heard.erase(0, at + request.size());
            if (!co_await answer(*connection, stand, lines)) {
                boost::system::error_code ignored;
                connection->socket.close(ignored);
                co_return;
            }
            break;
        }
        heard.erase(0, heard.size() > buffer.size() ? heard.size() - buffer.size() : 0);
    }
}

asio::awaitable<bool> LineTown::answer(Connection& connection, Stand& stand,
                                       const std::vector<std::string>& lines)
{
    ++stand.device.requests;
    auto said = stand.device.say(lines, seconds(), random_);
    const auto* fault = stand.device.fault();
    if (fault != nullptr && fault->kind == LineFault::Kind::silent) {
        co_return true;
    }
    if (fault != nullptr && fault->kind == LineFault::Kind::close) {
        co_return false;
    }
    if (fault != nullptr && fault->kind == LineFault::Kind::cut) {
        said.resize(said.size() / 2);
    }
    if (fault != nullptr && fault->kind == LineFault::Kind::noise) {
        said.insert(0, "\xff\x07q,9");
    }
    if (fault != nullptr && fault->kind == LineFault::Kind::delay) {
        asio::steady_timer timer(connection.socket.get_executor(), fault->delay);
        co_await timer.async_wait(asio::use_awaitable);
    }
    const auto [error, count] =
        co_await asio::async_write(connection.socket, asio::buffer(said), as_result);
    co_return !error;
}

asio::awaitable<void> LineTown::speak(std::shared_ptr<Connection> connection, Stand& stand)
{
    asio::steady_timer timer(connection->socket.get_executor());
    for (;;) {
        timer.expires_after(stand.device.every);
        co_await timer.async_wait(asio::use_awaitable);
        const auto said = stand.device.say(stand.device.speaks, seconds(), random_);
        const auto [error, count] =
            co_await asio::async_write(connection->socket, asio::buffer(said), as_result);
        if (error) {
            co_return;
        }
    }
}

}  // namespace simulator
