#pragma once

#include "gateway/mqtt/client.hpp"
#include "gateway/uplink/forwarder.hpp"
#include "gateway/uplink/signal.hpp"
#include "gateway/uplink/topics.hpp"
#include "gateway/uplink/uplink.hpp"

#include <deque>

namespace gateway {

/// One connection with the broker. The client goes first: it calls into the forwarder.
struct Session {
    std::string id;
    std::optional<Forwarder> forwarder;
    std::unique_ptr<mqtt::Client> client;
    bool ended = false;
    Error lost;
    std::size_t most_packet_bytes = 0;  ///< of a PUBLISH, without its header and topic
    std::string why;
    std::string refused_topic, too_large;  ///< as in UplinkStatus, of what is no batch
    Instant next_manifest, next_health, next_birth;
};

class Uplink::State {
public:
    State(boost::asio::any_io_executor executor, Worker& store, Worker& mqtt, Resolver& resolver,
          Outbox& outbox, Clock& clock, UplinkConfig config, UplinkHooks hooks);

    boost::asio::awaitable<void> run();
    void offer(const std::vector<StoredBatch>& batches);
    void birth_changed();
    void try_now();
    boost::asio::awaitable<void> stop(Duration limit);
    UplinkStatus status() const;

private:
    boost::asio::awaitable<void> pause(Duration length, const std::string& network);
    boost::asio::awaitable<void> hold_session();
    boost::asio::awaitable<bool> open(Session& session);
    boost::asio::awaitable<void> serve(Session& session);
    boost::asio::awaitable<void> hear_why(Session& session);
    boost::asio::awaitable<void> close(Session& session);
    mqtt::Options options(const std::string& address, const Session& session) const;
    ForwarderSettings forwarder_settings(unsigned receive_maximum,
                                         std::size_t most_packet_bytes) const;
    boost::asio::awaitable<bool> announce(Session& session);
    boost::asio::awaitable<void> publish_birth(Session& session);
    boost::asio::awaitable<void> publish_manifest(Session& session);
    std::string health_text() const;
    Duration until_next(const Session& session) const;
    void publish(const std::string& topic, const std::string& text, bool retained);
    void received(mqtt::Message message);
    void receipt_received(std::string_view text);
    void state_received(std::string_view text);
    void note_clone();
    void came_up();
    void went_down(const std::string& why);
    void heed(const tls::Finding& finding);
    void heed(const std::optional<SentBatch>& stuck);
    std::optional<WallTime> certificate_time() const;
    void keep_counts(const Forwarder& forwarder);
    boost::asio::awaitable<Answer> rebirth(json::object arguments);
    boost::asio::awaitable<Answer> replay(json::object arguments);
    CommandHandlers all_handlers(CommandHandlers handlers);

    boost::asio::any_io_executor executor_;
    Worker& store_;
    Worker& mqtt_;
    Resolver& resolver_;
    Outbox& outbox_;
    Clock& clock_;
    const UplinkConfig config_;
    UplinkHooks hooks_;
    const Topics topics_;
    Backoff backoff_;
    Signal wake_, stopped_;
    Commands commands_;
    Session* session_ = nullptr;
    std::size_t good_wire_bytes_ = 0;  // until then; learnt
    Instant small_until_;
    std::optional<SentBatch> stuck_;  // of the last session
    unsigned stuck_sessions_ = 0;

    bool running_ = false;
    bool birth_due_ = false;
    bool manifest_due_ = false;
    bool taken_over_ = false;
    std::deque<std::string> own_sessions_;  // the last of this process
    std::optional<Instant> stop_by_;
    UplinkStatus status_;
    bool down_told_ = false;
    bool try_now_ = false;
    tls::Trouble trouble_ = tls::Trouble::none;  // the last that an event told
};

}  // namespace gateway
