#pragma once

#include "gateway/mqtt/client.hpp"
#include "gateway/mqtt/paho.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace gateway::mqtt {

/// How an operation ended, with words where it failed.
struct Completion {
    Outcome outcome;
    std::string text;
    std::optional<Session> session;  ///< of a connect
};

/// The library's client and what waits for it. Three threads meet here: the loop owns everything
/// but `client_`, which only jobs on the worker touch; the library's callbacks run under its
/// process-wide lock and do nothing but add to `events_` and post once per burst.
class Client::Connection final : public std::enable_shared_from_this<Connection>,
                                 private paho::iaction_listener {
public:
    Connection(boost::asio::any_io_executor executor, Worker& worker, Options options);
    ~Connection() override = default;
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
    /// No handler is called afterwards; the library's client is destroyed on the worker.
    void detach();

    std::function<void(Message)> on_message;
    std::function<void(Error, std::string why)> on_lost;
    std::string problem;

private:
    using Id = std::uintptr_t;
    using Done = std::function<void(Completion)>;
    struct Completed {
        Id id;
        Completion completion;
    };
    struct Lost {
        Failure failure;
    };
    using Event = std::variant<Message, Completed, Lost>;
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

    // On the loop.
    template <typename Call>
    void submit(Id id, Call call);
    Id expect(Done done, bool publish);
    void send_next();
    void deliver();
    void handle(Message message);
    void handle(Completed completed);
    void handle(Lost lost);
    void lose(Failure failure);
    void fail_all(const Failure& failure);
    void watch_answers();
    static boost::asio::awaitable<Completion> wait_for(std::shared_ptr<Connection> self,
                                                       std::function<void(Done)> start,
                                                       std::chrono::milliseconds limit);

    // On the worker.
    void open(Id id);

    // On the library's threads.
    void on_success(const paho::token& token) override;
    void on_failure(const paho::token& token) override;
    void add(Event event);

    boost::asio::any_io_executor executor_;
    Worker& worker_;
    const Options options_;

    std::unique_ptr<paho::async_client> client_;

    std::mutex mutex_;
    std::vector<Event> events_;
    std::atomic<bool> detached_ = false;

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
