#pragma once

#include "gateway/store/books.hpp"
#include "gateway/store/heads.hpp"
#include "gateway/store/lane_rows.hpp"
#include "gateway/store/outbox.hpp"
#include "gateway/store/store_lock.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace gateway {

/// What stands behind Outbox. Its functions are spread by subject: outbox.cpp (life, epochs,
/// dictionaries), outbox_commit.cpp, outbox_receipts.cpp (reading, receipts, freeing),
/// outbox_losses.cpp (tombstones, eviction, splitting).
class Outbox::Database {
public:
    explicit Database(OutboxSettings settings);

    // outbox.cpp
    std::vector<StoredBatch> announce_epochs(const Moment& now);
    std::vector<StoredBatch> commit(std::uint32_t epoch_number, const Commit& commit);
    void close_epoch(const std::optional<Moment>& now);
    std::vector<EpochState> epochs();
    void forget(const EpochId& id);
    void put_dictionary(DictionaryHash hash, const std::string& bytes);
    std::optional<std::string> dictionary(DictionaryHash hash);
    std::vector<DictionaryHash> dictionaries_held();
    StoreUse use();
    void set_state(const std::string& key, const std::string& value);
    std::optional<std::string> state(const std::string& key);
    bool checkpoint();
    void write_heads();

    // outbox_receipts.cpp
    std::vector<StoredBatch> read(Lane lane, std::uint32_t epoch_number, std::uint64_t after,
                                  std::size_t most_bytes);
    ReceiptOutcome apply_receipt(const EpochId& id, Lane lane, const std::vector<Range>& ranges);
    RangeSet received(std::uint32_t epoch_number, Lane lane);

    // outbox_losses.cpp
    std::optional<StoredBatch> declare_lost(std::uint32_t epoch_number, Lane lane,
                                            std::uint64_t first, LossReason reason);
    std::vector<StoredBatch> split(std::uint32_t epoch_number, Lane lane, std::uint64_t first,
                                   std::size_t most_bytes);

    const EpochBook& current() const { return books_.all().at(current_); }
    std::vector<Event> take_events() { return std::exchange(events_, {}); }

private:
    /// A transaction that changes rows: begins, runs `change`, frees what receipts have covered,
    /// saves the books and commits. After a failure the books are as the file says.
    template <typename Change>
    auto change_rows(Change change)
    {
        try {
            sqlite::Transaction transaction(connection_);
            auto result = change();
            free_received();
            books_.save();
            transaction.commit();
            freed_soon_.clear();
            return result;
        } catch (...) {
            recall();
            throw;
        }
    }
    void recall();

    // outbox.cpp
    void put_batch(EpochBook& epoch, const PendingBatch& batch, std::vector<StoredBatch>& stored);
    void put_readings(EpochBook& epoch, const PendingBatch& about, const CompactReadings& readings,
                      std::size_t most_bytes, std::uint64_t first,
                      std::vector<StoredBatch>& stored);
    std::uint64_t used_bytes();

    // outbox_receipts.cpp
    struct FreedRow {
        Lane lane = Lane::telemetry;
        std::int64_t id = 0;
    };
    void free_received();
    bool is_freed(Lane lane, std::int64_t id) const;
    std::uint64_t first_held(const EpochBook& epoch, Lane lane);

    // outbox_losses.cpp
    StoredBatch bury(EpochBook& epoch, Lane lane, const Row& row, LossReason reason);
    void merge_with(Lane lane, const std::optional<RowSpan>& neighbour, RowSpan& span,
                    Tombstone& lost);
    void evict_to_budget();
    bool evict_one();  ///< false when nothing is left that may be evicted

    LaneRows& rows(Lane lane) { return rows_[index_of(lane)]; }
    StoredBatch stored(const EpochBook& epoch, Lane lane, const RowSpan& span, Bytes bytes) const;

    OutboxSettings settings_;
    StoreLock lock_;
    sqlite::Connection connection_;
    Books books_;
    std::vector<LaneRows> rows_;
    sqlite::Statement put_dictionary_, dictionary_, put_state_, state_, page_count_, free_count_;
    HeadsFile heads_;
    std::uint64_t page_bytes_;
    BatchEncoder encoder_;
    BatchDecoder decoder_;
    std::vector<FreedRow> freed_soon_;  ///< covered by receipts, still in the file
    std::vector<Event> events_;
    Moment last_moment_;  ///< of the last commit
    std::int64_t wal_pages_ = 0;
    std::uint32_t current_ = 0;
    bool evicting_ = false;
};

}  // namespace gateway
