#include "drivers/transport/buses.hpp"

#include <boost/asio/error.hpp>

#include <utility>

namespace gateway {

namespace asio = boost::asio;

namespace {

using Opened = Result<std::unique_ptr<ByteStream>>;

constexpr std::chrono::seconds longest_lookup{5};
constexpr std::chrono::seconds longest_connect{3};

/// A unit that does not answer in time is one thing, a host that cannot be reached another.
Error unless_late(const Error& error)
{
    return error == Fault::timed_out ? asio::error::make_error_code(asio::error::host_unreachable)
                                     : error;
}

asio::awaitable<Opened> open(std::unique_ptr<ByteStream> stream)
{
    const auto connected = co_await stream->within(longest_connect, stream->connect());
    if (!connected) {
        co_return unless_late(connected.error());
    }
    co_return std::move(stream);
}

asio::awaitable<Opened> open_tcp(asio::any_io_executor executor, Resolver& resolver,
                                 std::string host, std::uint16_t port)
{
    auto address = co_await resolver.resolve(std::move(host), longest_lookup);
    if (!address) {
        co_return unless_late(address.error());
    }
    auto stream = make_tcp_stream(std::move(executor), std::move(*address), port);
    co_return co_await open(std::move(stream));
}

}  // namespace

Buses::Buses(asio::any_io_executor executor, Resolver& resolver)
    : executor_(std::move(executor)), resolver_(resolver)
{
}

std::shared_ptr<StreamBus> Buses::tcp(const std::string& host, std::uint16_t port)
{
    auto& entry = entry_of("tcp:" + host + ":" + std::to_string(port));
    return share(entry, [executor = executor_, &resolver = resolver_, host, port] {
        return open_tcp(executor, resolver, host, port);
    });
}

std::shared_ptr<StreamBus> Buses::serial(const SerialLine& line, const Place& place,
                                         Mistakes& mistakes)
{
    auto& entry = entry_of("serial:" + line.path);
    auto& known = entry.second;
    if (!known.bus.expired() && known.line != line) {
        mistakes.add(place, "connect",
                     "another device uses " + describe(known.line) +
                         "; devices on one line have the same settings");
        return nullptr;
    }
    known.line = line;
    return share(entry,
                 [executor = executor_, line] { return open(make_serial_stream(executor, line)); });
}

Buses::Entry& Buses::entry_of(const std::string& target)
{
    std::erase_if(by_target_, [](const auto& entry) { return entry.second.bus.expired(); });
    return *by_target_.try_emplace(target).first;
}

std::shared_ptr<StreamBus> Buses::share(Entry& entry, OpenStream open)
{
    auto bus = entry.second.bus.lock();
    if (!bus) {
        bus = std::make_shared<StreamBus>(executor_, std::move(open));
        entry.second.bus = bus;
    }
    return bus;
}

std::shared_ptr<Bus> Buses::turns(const std::string& target)
{
    std::erase_if(turns_, [](const auto& entry) { return entry.second.expired(); });
    auto& known = turns_[target];
    auto bus = known.lock();
    if (!bus) {
        bus = std::make_shared<Bus>();
        known = bus;
    }
    return bus;
}

}  // namespace gateway
