#pragma once

#include "gateway/config/site.hpp"
#include "gateway/core/event.hpp"
#include "gateway/store/spool.hpp"
#include "gateway/store/store_error.hpp"
#include "gateway/store/stored.hpp"
#include "gateway/store/wear.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gateway {

enum class ReceiptVerdict : std::uint8_t { applied, above_head, storage_lied, unknown_epoch };

struct OutboxSettings {
    std::string directory;  ///< holds store/N/, heads and the lock
    std::string box;
    BootId boot;
    std::uint64_t budget_bytes = 2ULL << 30;
    /// What of the budget a lane keeps when the store is full; a lane over its share gives way
    /// first, by its policy, in the order diagnostic, telemetry, billing. Alarm and control never
    /// do.
    PerLane<unsigned> share_percent{10, 10, 40, 30, 10};
    PerLane<Policy> policy{};
    /// Left free on the file system for others; only alarm and control go below.
    std::uint64_t free_floor_bytes = 0;
    std::size_t most_wire_bytes =
        131'072;  ///< a batch larger than this is split before it is stored
};

struct StoreUse {
    bool usable = true;  ///< no: readings wait in memory
    std::uint64_t used_bytes = 0;
    std::uint64_t budget_bytes = 0;
    std::uint64_t written_bytes = 0;  ///< by this process, as far as the system counts it
    std::uint64_t free_bytes = 0;
    PerLane<std::uint64_t> declared_lost{};  ///< readings, since this process began
    WrittenBytes written;                    ///< per day, kept over restarts
    PerLane<unsigned> share_used_percent{};  ///< of lanes that can be sacrificed; may be over 100
};

/// The durable queue: one SQLite file, one connection, owned by the store worker. Every member runs
/// there. Constructing it takes the store's lock (else throws StoreError at once, saying who holds
/// it), begins a new epoch, and commits that epoch's row.
///
/// A damaged store, or one of a newer version, is set aside and a new one begun. When a read, a
/// write or a sync fails, or no store can be opened, the outbox is not usable until open() says so:
/// then what adds to it throws StoreError and everything else answers with nothing. Nothing counts
/// as durable after a failure, and no sync is tried a second time.
class Outbox {
public:
    explicit Outbox(OutboxSettings settings);
    ~Outbox();
    Outbox(const Outbox&) = delete;
    Outbox& operator=(const Outbox&) = delete;

    /// Tries to make the outbox usable again, in a new epoch; true when it is. The caller paces it.
    bool open();
    bool is_usable() const;

    /// While the outbox is not usable: the epoch that the next store will begin.
    const EpochId& epoch() const;
    std::uint32_t epoch_number() const;

    /// Writes `epoch_opened`, and `epoch_closed` for each earlier epoch that no stop has closed.
    /// Once, after recovery of the spool and before the first commit.
    std::vector<StoredBatch> announce_epochs(Moment now);

    /// One transaction, synced: gives sequences, encodes, stores. On return the batches are
    /// durable.
    std::vector<StoredBatch> commit(const Commit& commit);
    /// As commit, for readings of an earlier epoch (recovered from the spool), before it is closed.
    std::vector<StoredBatch> commit_to(std::uint32_t epoch_number, const Commit& commit);

    /// Stores a dictionary; durable on return. Storing it again changes nothing.
    void put_dictionary(DictionaryHash hash, const std::string& bytes);
    std::optional<std::string> dictionary(DictionaryHash hash);
    /// Dictionaries that rows still held name, ascending.
    std::vector<DictionaryHash> dictionaries_held();

    /// Rows of one lane after (epoch_number, sequence), ascending, until `most_bytes` (at least one
    /// row).
    std::vector<StoredBatch> read(Lane lane, std::uint32_t epoch_number, std::uint64_t after,
                                  std::size_t most_bytes);

    /// What the platform has committed; durable with the next commit. Rows wholly inside are gone
    /// from here on, and leave the file in one transaction with the ranges: the next commit's, or
    /// one of its own when there are many. At most 100 rows a call; `more` is set when a further
    /// call is needed. The caller raises the verdict's event.
    struct ReceiptOutcome {
        ReceiptVerdict verdict = ReceiptVerdict::applied;
        bool more = false;
    };
    ReceiptOutcome apply_receipt(const EpochId& epoch, Lane lane, const std::vector<Range>& ranges);
    /// The broker has taken the tombstone of these sequences: from here on a receipt frees it. One
    /// for readings that were given up after they had been sent does not.
    void note_told(const EpochId& epoch, Lane lane, Range range);
    /// What the platform has of this (epoch, lane).
    RangeSet received(std::uint32_t epoch_number, Lane lane);

    /// Replaces the row by a tombstone of the same range in one transaction; nothing when the row
    /// is not there.
    std::optional<StoredBatch> declare_lost(std::uint32_t epoch_number, Lane lane,
                                            std::uint64_t first, LossReason reason);
    /// Replaces a row by smaller rows of the same readings, each at most `most_bytes` encoded; for
    /// "packet too large".
    std::vector<StoredBatch> split(std::uint32_t epoch_number, Lane lane, std::uint64_t first,
                                   std::size_t most_bytes);

    /// Every epoch that holds rows or is not forgotten, the current one last.
    std::vector<EpochState> epochs();
    /// The platform has acknowledged the epoch as closed and no row is left: it leaves births.
    void forget(const EpochId& epoch);
    StoreUse use();

    /// Small durable facts ("first_start", "first_receipt").
    void set_state(const std::string& key, const std::string& value);
    std::optional<std::string> state(const std::string& key);

    /// Moves what is in the WAL to the file; one slice, at most 20 ms. True when more is left.
    bool checkpoint();
    /// Brings over what stores that were set aside hold, under its own epoch, lane and sequence,
    /// and declares what is missing; one slice, at most 20 ms. A store is removed after its last
    /// row.
    SalvageStep salvage();
    /// Takes over a spool file of an epoch that is being salvaged: after the last row its batch is
    /// stored, unless it was found, and the file removed. False when its epoch is another one.
    bool keep_for_salvage(const SpooledBatch& spooled);
    /// Writes the heads file (two slots with CRC, fdatasync).
    void write_heads();
    /// Writes `epoch_closed` with the final heads and marks the epoch closed; durable on return.
    /// The last call before destruction. Without a moment, the last commit's. Nothing when no store
    /// can be used.
    void close_epoch(std::optional<Moment> now = std::nullopt);

    /// What happened to the store since the last call: damaged rows found, batches evicted.
    std::vector<Event> take_events();

private:
    class Database;
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace gateway
