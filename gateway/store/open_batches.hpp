#pragma once

#include "gateway/core/event.hpp"
#include "gateway/runtime/clock.hpp"
#include "gateway/store/outbox.hpp"
#include "gateway/store/spool.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace gateway {

/// The open batch of each lane, and when each closes (protocol.md, section 2.1). No I/O but the
/// spool's.
class OpenBatches {
public:
    OpenBatches(Clock& clock, const PerLane<Duration>& interval, std::string spool_directory,
                const EpochId& epoch, EventListener tell);

    void accept(Lane lane, std::span<const Reading> readings);

    std::optional<DictionaryHash> dictionary(std::uint16_t device) const;
    /// Closes the batches that name the device under another dictionary.
    void set_dictionary(std::uint16_t device, DictionaryHash hash);
    /// The epoch in use and the sequences given so far; the spool counts on from them.
    void set_epoch(const EpochId& epoch, const PerLane<std::uint64_t>& heads)
    {
        epoch_ = epoch;
        heads_ = heads;
    }
    /// Batches opened from now on wait so many times their interval.
    void stretch(double factor) { stretch_ = factor; }
    /// What a stored batch came to, to foresee the next one's size.
    void learn_size(Lane lane, std::uint64_t readings, std::size_t bytes);

    struct Taken {
        struct Item {
            PendingBatch batch;
            std::optional<SpoolFile> spool;  ///< to be removed when the batch is durable
        };
        std::vector<Item> items;
        std::size_t memory_bytes() const;
    };
    /// When something is to be committed; in the past: now; Instant::max(): nothing is open.
    Instant due() const;
    /// What is due, and with it what would be within a second; nothing when nothing is due.
    Taken take_due();
    Taken take_all();
    std::size_t memory_bytes() const;

private:
    struct Open {
        PendingBatch batch;
        Instant due;
        std::optional<SpoolFile> spool;
    };

    Open& open_for(Lane lane, const Reading& reading);
    std::size_t put(Open& open, std::span<const Reading> readings);
    void close(Lane lane);
    bool is_full(Lane lane, const Open& open) const;
    void watch_clock();
    Taken take(Instant until);

    Clock& clock_;
    PerLane<Duration> interval_;
    double stretch_ = 1;
    std::string spool_directory_;
    EpochId epoch_;
    EventListener tell_;
    PerLane<std::optional<Open>> open_;
    std::vector<Open> closed_;
    std::map<std::uint16_t, DictionaryHash> dictionaries_;
    PerLane<std::uint64_t> heads_{};
    PerLane<double> bytes_per_reading_{};
    Instant next_clock_check_{};
};

/// Commits what a spool held of earlier epochs, and removes its files: to its own epoch while that
/// is open, else to the current one. While rows of it may come from a store that was set aside, the
/// outbox keeps it.
void commit_spool(Outbox& outbox, const std::vector<SpooledBatch>& spooled,
                  std::vector<Event>& events);

}  // namespace gateway
