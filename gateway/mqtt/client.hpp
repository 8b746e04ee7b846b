#pragma once

#include "gateway/core/ids.hpp"
#include "gateway/core/result.hpp"
#include "gateway/runtime/worker.hpp"
#include "gateway/tls/trouble.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace gateway::mqtt {

struct Message {
    std::string topic;
    Bytes payload;
    bool retained = false;
};

/// How to connect. The address is numeric: names are looked up before (runtime/resolver).
struct Options {
    std::string address;  ///< numeric IPv4 or IPv6
    std::uint16_t port = 1883;
    std::string client_id;
    bool keep_session = false;  ///< the broker keeps what comes while nobody of this name is there
    bool mqtt5 = true;
    std::chrono::seconds keep_alive{30};
    std::string user, password;
    std::optional<Message> will;  ///< QoS 1
    bool tls = false;
    std::string server_name;  ///< checked against the certificate; empty: the address is
    std::string ca_file, certificate_file, key_file;
    std::optional<WallTime> certificate_time;  ///< when certificates are judged; else: now
    std::size_t most_in_flight =
        200;  ///< for the library's own limits; set above the forwarder's window
    std::chrono::milliseconds connect_timeout{10'000};
    /// With publishes in flight and no acknowledgement for so long the connection counts as lost.
    std::chrono::milliseconds answer_timeout{30'000};
};

/// MQTT 5 reason codes that decide something here; a 3.1.1 CONNACK's codes are given as these.
enum Reason : int {
    bad_user_or_password = 134,
    not_authorized = 135,
    session_taken_over = 142,
    packet_too_large = 149,
    quota_exceeded = 151,
};

/// Errors whose value is a reason code of the broker.
const boost::system::error_category& reason_category() noexcept;

/// The broker's answer to CONNECT. Never more publishes than `receive_maximum` are with the broker:
/// the client keeps the others back, in order.
struct Session {
    unsigned receive_maximum = 65'535;
    std::size_t maximum_packet_size = 268'435'455;
};

/// How one publish ended: `error` set when it never reached the broker or the connection ended;
/// else the PUBACK's reason code (0 success; 128 and above: refused; always 0 in MQTT 3.1.1).
struct Outcome {
    Error error;
    int reason_code = 0;
};

/// One session with a broker. Every call into the library runs on the mqtt worker; its callbacks
/// only post; every handler is called on the loop (`executor`). A client connects once: a new
/// session is a new client. Members are called on the loop. Destroying it ends the session and
/// calls no handler afterwards.
class Client {
public:
    Client(boost::asio::any_io_executor executor, Worker& worker, Options options);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    /// What arrives on subscribed topics, and why the connection ended (once). Set both before
    /// connect.
    void on_message(std::function<void(Message)> handler);
    void on_lost(std::function<void(Error, std::string why)> handler);

    /// Fails with the CONNACK's reason or the transport's error; `problem()` says it in words, with
    /// TLS after a second connection that finds out why.
    boost::asio::awaitable<Result<Session>> connect();
    boost::asio::awaitable<Status> subscribe(std::string topic);
    /// QoS 1. `done` is called once, on the loop, also when the connection ends first; not after
    /// destruction.
    void publish(std::string topic, std::shared_ptr<const Bytes> payload, bool retained,
                 std::function<void(Outcome)> done);
    /// QoS 1, small JSON texts.
    boost::asio::awaitable<Outcome> publish(std::string topic, std::string payload, bool retained);
    /// Sends DISCONNECT after what is in flight, within `limit`; what is not acknowledged by then
    /// fails. on_lost is not called.
    boost::asio::awaitable<void> disconnect(std::chrono::milliseconds limit);
    std::string problem() const;
    /// What a failed connect with TLS found.
    const tls::Finding& finding() const;

private:
    class Connection;
    std::shared_ptr<Connection> connection_;  // shared with coroutines and timers that wait
};

}  // namespace gateway::mqtt
