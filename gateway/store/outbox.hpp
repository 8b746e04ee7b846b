#pragma once

#include "gateway/acquire/sink.hpp"
#include "gateway/core/ranges.hpp"
#include "gateway/store/batch.hpp"
#include "gateway/store/store_error.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gateway {

/// A row of the outbox as it is sent. The bytes are shared by the forwarder and whoever tails the
/// store; they never change.
struct StoredBatch {
    std::uint32_t epoch_number = 0;  ///< ascending with time in this store
    EpochId epoch;
    Lane lane = Lane::telemetry;
    std::uint64_t first = 0;
    std::uint64_t count = 0;
    bool tombstone = false;
    std::shared_ptr<const Bytes> bytes;

    Range range() const { return {first, first + count - 1}; }
};

/// The counters of a manifest for one (epoch, lane).
struct LaneCounters {
    std::uint64_t head = 0;  ///< highest sequence given; 0: none
    std::uint64_t first_held =
        0;                    ///< lowest still stored or to be sent; head + 1 when all is delivered
    std::uint64_t count = 0;  ///< readings not tombstoned
    std::uint64_t sum = 0;
    std::uint64_t tombstoned = 0;
    std::uint64_t queued = 0;  ///< readings in rows still held (tombstones not counted)
    std::map<Quality, std::uint64_t> quality;
    std::map<Cause, std::uint64_t> cause;
    SlotCounts slots;
};

struct EpochState {
    std::uint32_t number = 0;
    EpochId id;
    BootId boot;
    bool closed = false;
    PerLane<LaneCounters> lanes;
};

/// Readings of one lane that are to be committed: given their sequences, encoded and stored.
struct PendingBatch {
    Lane lane = Lane::telemetry;
    BootTime opened;
    ClockReading clock;
    std::vector<DictionaryRef> dictionaries;
    std::vector<Reading> readings;
};

struct Commit {
    std::vector<PendingBatch> batches;
    PerLane<SlotCounts> slots;  ///< since the last commit
};

enum class ReceiptVerdict : std::uint8_t { applied, above_head, storage_lied, unknown_epoch };

struct OutboxSettings {
    std::string directory;  ///< holds store/N/, heads and the lock
    std::string box;
    BootId boot;
    std::uint64_t budget_bytes = 2ULL << 30;
    std::size_t most_wire_bytes =
        131'072;  ///< a batch larger than this is split before it is stored
};

struct StoreUse {
    std::uint64_t used_bytes = 0;
    std::uint64_t budget_bytes = 0;
    std::uint64_t written_bytes =
        0;  ///< by this process to the store, as far as the system counts it
    std::uint64_t free_bytes = 0;
};

/// The durable queue: one SQLite file, one connection, owned by the store worker. Every member runs
/// there. Constructing it takes the store's lock (else throws StoreError at once, saying who holds
/// it), begins a new epoch, and commits that epoch's row. A database failure throws StoreError;
/// nothing counts as durable after one.
class Outbox {
public:
    explicit Outbox(OutboxSettings settings);
    ~Outbox();
    Outbox(const Outbox&) = delete;
    Outbox& operator=(const Outbox&) = delete;

    const EpochId& epoch() const;
    std::uint32_t epoch_number() const;

    /// One transaction, synced: gives sequences, encodes, stores. On return the batches are
    /// durable.
    std::vector<StoredBatch> commit(Commit commit);
    /// As commit, for readings of an epoch that is closed (recovered from the spool).
    std::vector<StoredBatch> commit_to(std::uint32_t epoch_number, Commit commit);

    /// Stores a dictionary; durable on return. Storing it again changes nothing.
    void put_dictionary(DictionaryHash hash, const std::string& bytes);
    std::optional<std::string> dictionary(DictionaryHash hash);
    /// Dictionaries that rows still held name, ascending.
    std::vector<DictionaryHash> dictionaries_held();

    /// Rows of one lane after (epoch_number, sequence), ascending, until `most_bytes` (at least one
    /// row).
    std::vector<StoredBatch> read(Lane lane, std::uint32_t epoch_number, std::uint64_t after,
                                  std::size_t most_bytes);

    /// What the platform has committed; durable with the next commit or flush. Frees whole rows
    /// inside, at most 100 rows a call in one transaction with the ranges; `more` is set when a
    /// further call is needed.
    struct ReceiptOutcome {
        ReceiptVerdict verdict = ReceiptVerdict::applied;
        bool more = false;
    };
    ReceiptOutcome apply_receipt(const EpochId& epoch, Lane lane, const std::vector<Range>& ranges);
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

    /// Small durable counters and limits learnt ("first_start", "first_receipt",
    /// "most_wire_bytes").
    void set_state(const std::string& key, const std::string& value);
    std::optional<std::string> state(const std::string& key);

    /// Moves what is in the WAL to the file; one slice, at most 20 ms. True when more is left.
    bool checkpoint();
    /// Writes the heads file (two slots with CRC, fdatasync).
    void write_heads();
    /// Marks the epoch closed with its final heads; durable on return. The last call before
    /// destruction.
    void close_epoch();

private:
    class Database;
    std::unique_ptr<Database> database_;
};

}  // namespace gateway
