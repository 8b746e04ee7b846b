#pragma once

#include "gateway/metrics/server.hpp"
#include "gateway/mqtt/client.hpp"
#include "gateway/receiver/reception.hpp"
#include "gateway/runtime/resolver.hpp"
#include "gateway/runtime/worker.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gateway {

class TaskGroup;

struct SessionSettings {
    std::string host;
    mqtt::Options connection;          ///< its address is looked up from `host`
    std::string org;                   ///< empty: every org
    std::string raw;                   ///< a folder that gets every message as it came; empty: none
    std::vector<std::string> metrics;  ///< where they can be had: see MetricsServer
};

/// host, port and TLS from `mqtt://HOST:PORT` or `mqtts://HOST:PORT`; a port may be left out.
/// False when it is neither.
bool parse_broker(std::string_view url, SessionSettings& settings);

/// Feeds a reception from a broker, and sends what it answers. Connects again for ever. Lives on
/// the loop; the reception is only touched on the store worker.
class ReceiverSession {
public:
    ReceiverSession(boost::asio::any_io_executor executor, Worker& store, Worker& mqtt,
                    Resolver& resolver, SessionSettings settings, Reception& reception);

    /// Until SIGINT or SIGTERM: then takes what has arrived, and disconnects. SIGUSR1 writes the
    /// table of the check to standard error. Throws what the reception throws.
    boost::asio::awaitable<void> run();

private:
    /// What one round brought.
    struct Round {
        std::vector<Outgoing> receipts;
        Tally tally;
        bool is_waiting = false;
    };

    boost::asio::awaitable<void> stay_connected();
    boost::asio::awaitable<std::string> hold_connection();
    boost::asio::awaitable<std::optional<std::string>> open_connection();
    boost::asio::awaitable<void> take_rounds();
    boost::asio::awaitable<void> take_round();
    boost::asio::awaitable<void> obey_signals(TaskGroup& tasks);
    boost::asio::awaitable<void> finish();
    // session_metrics.cpp
    void open_metrics();
    boost::asio::awaitable<std::string> metrics(MetricsFormat format);
    void arrived(mqtt::Message message);
    std::vector<mqtt::Message> next_messages();
    void log_progress(const Tally& tally);

    boost::asio::any_io_executor executor_;
    Worker& store_;
    Worker& mqtt_;
    Resolver& resolver_;
    SessionSettings settings_;
    Reception& reception_;

    std::unique_ptr<mqtt::Client> client_;
    bool connected_ = false;
    std::uint64_t connections_ = 0;
    std::vector<std::unique_ptr<MetricsServer>> metrics_;
    bool newly_connected_ = false;
    std::optional<std::string> lost_;  // why the connection ended
    std::string trouble_;              // what was said last of a connection that fails
    boost::asio::steady_timer lost_event_, round_event_;

    std::deque<mqtt::Message> arrived_;
    std::size_t arrived_bytes_ = 0;
    std::uint64_t dropped_ = 0;
    std::uint64_t saved_ = 0;  // messages in the raw folder
    bool is_waiting_ = false;
    Tally progress_;
    std::chrono::steady_clock::time_point progress_logged_;
};

}  // namespace gateway
