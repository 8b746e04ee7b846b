#pragma once

#include "gateway/config/site.hpp"
#include "gateway/core/event.hpp"
#include "gateway/core/json.hpp"
#include "gateway/mqtt/client.hpp"
#include "gateway/runtime/clock.hpp"
#include "gateway/runtime/resolver.hpp"
#include "gateway/runtime/worker.hpp"
#include "gateway/store/outbox.hpp"
#include "gateway/uplink/backoff.hpp"
#include "gateway/uplink/birth.hpp"
#include "gateway/uplink/commands.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gateway {

struct UplinkConfig {
    std::string org, box;
    UplinkSettings settings;
    std::string password;
    std::string ca_file, certificate_file, key_file;          ///< with `settings.tls`
    std::size_t most_wire_bytes = 131'072;                    ///< of a batch
    Duration renew_after_refusal = std::chrono::minutes(10);  ///< see ForwarderSettings
    BackoffSettings backoff;
    Duration connect_timeout = std::chrono::seconds(10);
    Duration answer_timeout = std::chrono::seconds(30);
    Duration manifest_every = std::chrono::minutes(5);
    Duration health_every = std::chrono::minutes(1);
};

/// What the application gives; called on the loop.
struct UplinkHooks {
    std::function<BirthInput()> birth;
    EventListener on_event;
    CommandHandlers commands;              ///< beside `rebirth` and `replay`, which are done here
    std::function<json::object()> health;  ///< further members of the health message; may be empty
    std::function<WallTime()> certificate_time;    ///< when certificates are judged; empty: now
    std::function<void(WallTime)> on_signed_time;  ///< it cannot be earlier; may be empty
};

struct UplinkStatus {
    bool connected = false;
    std::optional<WallTime> since;  ///< of being connected, or of the outage
    std::optional<WallTime> last_acknowledgement, last_receipt;
    /// The broker acknowledged a batch then, and no receipt has come since.
    std::optional<Instant> unconfirmed_since;
    std::uint64_t sessions = 0, sent_batches = 0, sent_bytes = 0, acknowledged_batches = 0;
    std::uint64_t receipts = 0, ignored_receipts = 0, refused_commands = 0;
    std::size_t in_flight = 0, unreceipted = 0, live_queue = 0;
    std::string refused_topic;  ///< by the broker, in this session
    std::string too_large;      ///< what is more than the broker takes at once; empty: nothing
    std::string problem;        ///< why there is no session, in words; empty while there is one
};

/// How a client of this box connects to the broker; without a will.
mqtt::Options connect_options(const UplinkConfig& config, const std::string& address,
                              std::optional<WallTime> certificate_time);

/// The box's side of the platform connection: sessions with the broker one after the other, what
/// is announced in each, and a Forwarder that sends the outbox. Runs on the loop; everything it is
/// given outlives it.
class Uplink {
public:
    Uplink(boost::asio::any_io_executor executor, Worker& store, Worker& mqtt, Resolver& resolver,
           Outbox& outbox, Clock& clock, UplinkConfig config, UplinkHooks hooks);
    ~Uplink();
    Uplink(const Uplink&) = delete;
    Uplink& operator=(const Uplink&) = delete;

    /// Connects for ever; returns after stop().
    boost::asio::awaitable<void> run();
    /// What became durable just now, in order (Intake::on_durable).
    void offer(const std::vector<StoredBatch>& batches);
    /// Something the birth tells is different: it is published again.
    void birth_changed();
    /// What kept it from connecting may be over: it does not wait until it would try again.
    void try_now();
    /// Sends what is live, says offline and disconnects, within `limit`.
    boost::asio::awaitable<void> stop(Duration limit);
    UplinkStatus status() const;

private:
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace gateway
