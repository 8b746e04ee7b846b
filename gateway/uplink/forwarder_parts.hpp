#pragma once

#include "gateway/core/event.hpp"
#include "gateway/mqtt/client.hpp"
#include "gateway/runtime/clock.hpp"
#include "gateway/runtime/worker.hpp"
#include "gateway/store/outbox.hpp"
#include "gateway/uplink/sent_log.hpp"
#include "gateway/uplink/signal.hpp"
#include "gateway/uplink/topics.hpp"
#include "gateway/uplink/window.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace gateway {

struct ForwarderSettings {
    WindowSettings window;
    bool release_on_puback = false;
    std::size_t most_wire_bytes = 131'072;  ///< of a batch, as far as the broker's limit is known
    /// Larger batches are split, a single reading goes as it is.
    std::size_t good_wire_bytes = most_wire_bytes;
    /// A session in which the broker refused a topic lasts no longer: its rules may be others by
    /// now.
    Duration renew_after_refusal = std::chrono::minutes(10);
};

/// What one session did so far, and what waits.
struct ForwarderCounts {
    std::uint64_t sent_batches = 0, sent_bytes = 0, acknowledged_batches = 0, receipts = 0;
    std::size_t in_flight = 0, unreceipted = 0, live_queue = 0;
    std::optional<WallTime> last_acknowledgement, last_receipt;
    std::optional<Instant> unconfirmed_since;  ///< see UplinkStatus
    std::string refused_topic;                 ///< the latest; empty: none
};

/// A batch that was given to the client.
struct SentBatch {
    LaneKey key;
    std::uint32_t epoch_number = 0;
    Range range;
    std::size_t bytes = 0;
    Urgency urgency = Urgency::history;
    const std::string* topic = nullptr;
    bool tombstone = false;
    std::uint64_t number = 0;  ///< in the session
};

/// A row that has to change before it can be sent.
struct RowRepair {
    LaneKey key;
    std::uint32_t epoch_number;
    Range range;
    bool split;     ///< else declared lost
    bool may_stay;  ///< as it is, when it cannot be split; else it is declared lost then
};

/// What a forwarder works with; all of it outlives the forwarder.
struct ForwarderParts {
    Worker& store;
    Outbox& outbox;
    mqtt::Client& client;
    const Topics& topics;
    const Clock& clock;
    const EventListener& on_event;
    Signal& wake;
};

}  // namespace gateway
