#pragma once

#include "gateway/mqtt/client.hpp"
#include "gateway/mqtt/paho.hpp"
#include "gateway/runtime/worker.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace gateway::mqtt {

/// How an operation ended, with words where it failed.
struct Completion {
    Outcome outcome;
    std::string text;
    std::optional<Session> session;  ///< of a connect
};

struct Completed {
    std::uintptr_t id;  ///< what the operation was started with
    Completion completion;
};

struct Lost {
    Failure failure;
};

using LinkEvent = std::variant<Message, Completed, Lost>;

/// The library's client. Operations are submitted on the loop and run on the worker; the library's
/// callbacks run under its process-wide lock and do nothing but keep an event and post to the loop
/// once per burst. Shared by the loop and jobs on the worker; nothing of the loop's is in it.
class Link final : public std::enable_shared_from_this<Link>, private paho::iaction_listener {
public:
    /// `deliver` is called on the loop when there are events to take, and may come late: after
    /// close().
    Link(boost::asio::any_io_executor executor, Worker& worker, Options options,
         std::function<void()> deliver);
    ~Link() override = default;
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    // On the loop. Each ends in a Completed with `id`, or in several.
    void connect(std::uintptr_t id);
    void subscribe(std::uintptr_t id, std::string topic);
    void publish(std::uintptr_t id, std::string topic, std::shared_ptr<const Bytes> payload,
                 bool retained);
    void disconnect(std::uintptr_t id, std::chrono::milliseconds limit);
    std::vector<LinkEvent> take_events();
    void add(LinkEvent event);
    /// No events afterwards; the library's client is destroyed on the worker.
    void close();

private:
    template <typename Call>
    void submit(std::uintptr_t id, Call call);
    void open(std::uintptr_t id);

    void on_success(const paho::token& token) override;
    void on_failure(const paho::token& token) override;

    boost::asio::any_io_executor executor_;
    Worker& worker_;
    const Options options_;
    const std::function<void()> deliver_;
    std::mutex mutex_;
    std::vector<LinkEvent> events_;
    std::atomic<bool> closed_ = false;
    // Only jobs on the worker touch it. The last member, so that it is destroyed first: a callback
    // that is under way has what it touches.
    std::unique_ptr<paho::async_client> client_;
};

}  // namespace gateway::mqtt
