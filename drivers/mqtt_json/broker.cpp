#include "drivers/mqtt_json/broker.hpp"

#include "gateway/runtime/log.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <random>
#include <utility>

namespace gateway::mqtt_json {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto longest_lookup = 5s;

/// Another each time: a broker ends the older session of the same name.
std::string client_id()
{
    std::random_device random;
    std::array<char, 24> text{};
    std::snprintf(text.data(), text.size(), "sg-%08x%04x", random(), random() & 0xFFFFU);
    return text.data();
}

}  // namespace

Broker::Broker(asio::any_io_executor executor, Worker& worker, Resolver& resolver, Address address)
    : executor_(std::move(executor)),
      worker_(worker),
      resolver_(resolver),
      address_(std::move(address))
{
}

asio::awaitable<Status> Broker::attend(std::vector<std::string> topics, bool anew)
{
    const auto known = [this](const std::string& topic) { return subscribed_.contains(topic); };
    if (client_ && !lost_ && !anew && std::all_of(topics.begin(), topics.end(), known)) {
        co_return Status();
    }
    const auto turn = co_await turns_.take();
    if (!client_ || lost_) {
        const auto connected = co_await connect();
        if (!connected) {
            co_return connected;
        }
    }
    co_return co_await subscribe(std::move(topics), anew);
}

asio::awaitable<Status> Broker::connect()
{
    client_.reset();
    subscribed_.clear();
    auto address = co_await resolver_.resolve(address_.host, longest_lookup);
    if (!address) {
        tell(address.error().message());
        co_return address.error();
    }
    mqtt::Options options{.address = std::move(*address),
                          .port = address_.port,
                          .client_id = address_.session.empty() ? client_id() : address_.session,
                          .keep_session = !address_.session.empty(),
                          .mqtt5 = address_.mqtt5,
                          .user = address_.user,
                          .password = address_.password,
                          .tls = address_.tls,
                          .server_name = address_.host,
                          .ca_file = address_.ca_file};
    auto client = std::make_unique<mqtt::Client>(executor_, worker_, std::move(options));
    client->on_message([this](const mqtt::Message& message) { hear(message); });
    client->on_lost([this](const Error&, const std::string& why) {
        tell(why);
        lose();
    });
    const auto session = co_await client->connect();
    if (!session) {
        tell(client->problem());
        co_return session.error();
    }
    client_ = std::move(client);
    lost_ = false;
    last_problem_.clear();
    co_return Status();
}

asio::awaitable<Status> Broker::subscribe(std::vector<std::string> topics, bool anew)
{
    for (const auto& topic : topics) {
        if (!anew && subscribed_.contains(topic)) {
            continue;
        }
        const auto subscribed = co_await client_->subscribe(topic);
        if (!subscribed) {
            tell(client_->problem());
            co_return subscribed;
        }
        subscribed_.insert(topic);
    }
    co_return Status();
}

void Broker::tell(const std::string& problem)
{
    if (problem != last_problem_) {
        log(LogLevel::warning, "A broker of devices is not there",
            {{"host", address_.host}, {"port", address_.port}, {"why", problem}});
        last_problem_ = problem;
    }
}

void Broker::hear(const mqtt::Message& message)
{
    for (auto* listener : listeners_) {
        listener->hear(message);
    }
}

void Broker::lose()
{
    lost_ = true;
    for (auto* listener : listeners_) {
        listener->lost();
    }
}

Brokers::Brokers(asio::any_io_executor executor, Worker& worker, Resolver& resolver,
                 bool take_sessions)
    : executor_(std::move(executor)),
      worker_(worker),
      resolver_(resolver),
      take_sessions_(take_sessions)
{
}

std::shared_ptr<Broker> Brokers::at(Address address)
{
    if (!take_sessions_) {
        address.session.clear();
    }
    std::erase_if(brokers_, [](const auto& entry) { return entry.second.expired(); });
    auto& known = brokers_[address];
    auto broker = known.lock();
    if (!broker) {
        broker = std::make_shared<Broker>(executor_, worker_, resolver_, address);
        known = broker;
    }
    return broker;
}

}  // namespace gateway::mqtt_json
