#pragma once

#include "gateway/core/event.hpp"
#include "gateway/mqtt/client.hpp"
#include "gateway/runtime/clock.hpp"
#include "gateway/runtime/worker.hpp"
#include "gateway/store/outbox.hpp"
#include "gateway/uplink/signal.hpp"
#include "gateway/uplink/topics.hpp"
#include "gateway/uplink/window.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace gateway {

struct ForwarderSettings {
    WindowSettings window;
    bool release_on_puback = false;
    std::size_t most_wire_bytes = 131'072;  ///< of a batch, as far as the broker's limit is known
};

/// What one session did so far, and what waits.
struct ForwarderCounts {
    std::uint64_t sent_batches = 0, sent_bytes = 0, acknowledged_batches = 0, receipts = 0;
    std::size_t in_flight = 0, unreceipted = 0, live_queue = 0;
    std::optional<WallTime> last_acknowledgement, last_receipt;
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
