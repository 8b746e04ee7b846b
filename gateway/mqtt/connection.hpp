#pragma once

#include "gateway/mqtt/client.hpp"
#include "gateway/mqtt/link.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

namespace gateway::mqtt {

/// What waits for the library's client, and the rules of a session: each operation ends once, no
/// more publishes with the broker than it takes, and missing acknowledgements end the session.
/// On the loop only.
class Client::Connection final : public std::enable_shared_from_this<Connection> {
public:
    static std::shared_ptr<Connection> make(boost::asio::any_io_executor executor, Worker& worker,
                                            Options options);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Coroutines hold `self`: the Client may end before them.
    static boost::asio::awaitable<Result<Session>> connect(std::shared_ptr<Connection> self);
    static boost::asio::awaitable<Status> subscribe(std::shared_ptr<Connection> self,
                                                    std::string topic);
    static boost::asio::awaitable<Outcome> publish(std::shared_ptr<Connection> self,
                                                   std::string topic, std::string payload,
                                                   bool retained);
    static boost::asio::awaitable<void> disconnect(std::shared_ptr<Connection> self,
                                                   std::chrono::milliseconds limit);
    void publish(std::string topic, std::shared_ptr<const Bytes> payload, bool retained,
                 std::function<void(Outcome)> done);
    /// No handler is called afterwards.
    void detach();

    std::function<void(Message)> on_message;
    std::function<void(Error, std::string why)> on_lost;
    std::string problem;
    tls::Finding finding;

private:
    using Id = std::uintptr_t;
    using Done = std::function<void(Completion)>;
    struct Publish {
        Id id;
        std::string topic;
        std::shared_ptr<const Bytes> payload;
        bool retained;
    };
    struct Pending {
        Done done;
        bool publish;
    };

    Connection(boost::asio::any_io_executor executor, Options options);

    static boost::asio::awaitable<void> find_out(std::shared_ptr<Connection> self, Error error);
    Id expect(Done done, bool publish);
    void send_next();
    void deliver();
    void handle(Message message) const;
    void handle(Completed completed);
    void handle(Lost lost);
    void lose(Failure failure);
    void fail_all(const Failure& failure);
    void watch_answers();
    static boost::asio::awaitable<Completion> wait_for(std::shared_ptr<Connection> self,
                                                       std::function<void(Done)> start,
                                                       std::chrono::milliseconds limit);

    boost::asio::any_io_executor executor_;
    const Options options_;
    std::shared_ptr<Link> link_;  // shared with jobs on the worker
    bool detached_ = false;

    Id last_id_ = 0;
    std::unordered_map<Id, Pending> pending_;
    std::deque<Publish> waiting_;
    std::size_t in_flight_ = 0;
    std::size_t receive_maximum_ = 65'535;
    bool connected_ = false;
    bool lost_ = false;
    bool watching_ = false;
    std::chrono::steady_clock::time_point last_answer_;
    boost::asio::steady_timer watch_;
};

}  // namespace gateway::mqtt
