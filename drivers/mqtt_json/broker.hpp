#pragma once

#include "gateway/acquire/bus.hpp"
#include "gateway/mqtt/client.hpp"
#include "gateway/runtime/resolver.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace gateway::mqtt_json {

/// A broker as a site file names it, and as whom it is spoken to.
struct Address {
    bool tls = false;
    std::string host;
    std::uint16_t port = 1883;
    bool mqtt5 = false;
    std::string ca_file, user, password;
    std::string session;  ///< kept by the broker under this name; empty: a new one each time

    friend auto operator<=>(const Address&, const Address&) = default;
};

/// Who hears what arrives at a broker.
class Listener {
public:
    Listener() = default;
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    virtual ~Listener() = default;

    virtual void hear(const mqtt::Message& message) = 0;
    /// The connection is gone: who waits for messages attends again.
    virtual void lost() = 0;
};

/// One connection to a broker, shared by the devices behind it. Nothing is published. Runs on the
/// loop; lives as long as one of its listeners.
class Broker {
public:
    Broker(boost::asio::any_io_executor executor, Worker& worker, Resolver& resolver,
           Address address);

    /// Connects when needed and subscribes to what is not subscribed to yet; at once when nothing
    /// is to be done. `anew`: to all of it, so that what is retained comes once more.
    boost::asio::awaitable<Status> attend(std::vector<std::string> topics, bool anew);
    void add(Listener& listener) { listeners_.insert(&listener); }
    void remove(Listener& listener) { listeners_.erase(&listener); }

private:
    boost::asio::awaitable<Status> connect();
    boost::asio::awaitable<Status> subscribe(std::vector<std::string> topics, bool anew);
    void tell(const std::string& problem);
    void hear(const mqtt::Message& message);
    void lose();

    boost::asio::any_io_executor executor_;
    Worker& worker_;
    Resolver& resolver_;
    const Address address_;
    Bus turns_;  // one connects at a time
    std::unique_ptr<mqtt::Client> client_;
    bool lost_ = false;  // client_ is of no use any more
    std::set<std::string> subscribed_;
    std::set<Listener*> listeners_;
    std::string last_problem_;
};

/// The brokers of a box, one connection each. Runs on the loop.
class Brokers {
public:
    /// `take_sessions`: false for a look by hand, which takes nothing away from whoever owns them.
    Brokers(boost::asio::any_io_executor executor, Worker& worker, Resolver& resolver,
            bool take_sessions = true);

    std::shared_ptr<Broker> at(Address address);

private:
    boost::asio::any_io_executor executor_;
    Worker& worker_;
    Resolver& resolver_;
    bool take_sessions_;
    std::map<Address, std::weak_ptr<Broker>> brokers_;
};

}  // namespace gateway::mqtt_json
