#pragma once

#include "gateway/store/books.hpp"
#include "gateway/store/heads.hpp"
#include "gateway/store/lane_rows.hpp"
#include "gateway/store/outbox.hpp"
#include "gateway/store/schema.hpp"
#include "gateway/store/store_folders.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace gateway {

constexpr auto wear_key = "written";  ///< in table `state`
std::uint64_t rows_budget(std::uint64_t budget_bytes);

/// One opened store: the file and what is known of it. After a failure it is only good for
/// abandon(). Its functions are spread over files by subject.
class Outbox::Database {
public:
    struct Opening {
        EpochId epoch;                   ///< of the one that begins
        std::vector<EpochBook> carried;  ///< what the store before this one had, when that is known
        // No file was there; another store was before; see open_outbox_file().
        bool is_new = false, is_successor = false, renew_wal = false;
    };
    Database(const OutboxSettings& settings, const StoreFolders& folders, unsigned number,
             Wear& wear, Opening opening);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    // outbox_database.cpp
    /// Before the end of one that failed: nothing is written or synced again. Its epochs, for its
    /// successor; none when they are not known any more.
    std::vector<EpochBook> abandon();
    std::vector<EpochState> epochs_known() const;  ///< as epochs(), without reading the file
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
    void note_told(const EpochId& id, Lane lane, Range range);
    RangeSet received(std::uint32_t epoch_number, Lane lane);

    // outbox_losses.cpp
    std::optional<StoredBatch> declare_lost(std::uint32_t epoch_number, Lane lane,
                                            std::uint64_t first, LossReason reason);
    std::vector<StoredBatch> split(std::uint32_t epoch_number, Lane lane, std::uint64_t first,
                                   std::size_t most_bytes);
    SalvageStep salvage();  // and on, outbox_salvage*.cpp
    bool keep_for_salvage(const SpooledBatch& spooled);

    const PerLane<std::uint64_t>& declared_lost() const { return books_.lost(); }
    const EpochBook& current() const { return books_.all().at(current_); }
    std::vector<Event> take_events() { return std::exchange(events_, {}); }

private:
    struct Rescue;
    /// A transaction that changes rows: begins, runs `change`, frees what receipts have covered,
    /// saves the books and commits. After a failure the books are as the file says.
    template <typename Change>
    auto change_rows(Change change);
    void recall();
    void compare(const std::vector<EpochHeads>& heads);
    void save_wear();

    // outbox_commit.cpp
    void put_batch(EpochBook& epoch, const PendingBatch& batch, std::uint64_t first,
                   std::vector<StoredBatch>& stored);
    void append(EpochBook& epoch, const PendingBatch& batch, std::vector<StoredBatch>& stored);
    void put_readings(EpochBook& epoch, const PendingBatch& about, const CompactReadings& readings,
                      std::size_t most_bytes, std::uint64_t first,
                      std::vector<StoredBatch>& stored);
    void put_closing_row(EpochBook& epoch, std::vector<StoredBatch>& stored);
    std::uint64_t used_bytes();  // outbox_database.cpp

    // outbox_receipts.cpp
    bool free_soon(EpochBook& epoch, Lane lane, const Range& range);
    void free_received();
    bool is_freed(Lane lane, std::int64_t id) const;
    std::uint64_t first_held(const EpochBook& epoch, Lane lane);

    // outbox_losses.cpp
    StoredBatch bury(EpochBook& epoch, Lane lane, const Row& row, LossReason reason);
    StoredBatch put_loss(EpochBook& epoch, Lane lane, RowSpan span, const Moment& moment,
                         Tombstone lost);
    void put_pending(EpochBook& epoch, const PendingLoss& loss, std::vector<StoredBatch>& stored);
    void merge_with(Lane lane, const std::optional<RowSpan>& neighbour, RowSpan& span,
                    Tombstone& lost);

    // outbox_budget.cpp
    void measure_disk();
    std::uint64_t limit_bytes(bool is_urgent) const;
    std::uint64_t lane_bytes(Lane lane) const;
    PerLane<unsigned> shares_used_percent() const;
    std::optional<Lane> victim(Lane incoming, std::uint64_t size, std::uint64_t limit);
    std::optional<std::int64_t> row_to_drop(Lane lane);
    std::uint64_t evict(Lane lane);
    bool evict_for_urgent();  ///< false when nothing is left that may be evicted
    void note_eviction(Lane lane);
    std::optional<LossReason> admit(Lane lane, std::uint64_t size);
    void put_refused(EpochBook& epoch, const PendingBatch& about, Tombstone lost,
                     std::uint64_t first, std::vector<StoredBatch>& stored);
    LaneRows& rows(Lane lane) { return rows_[index_of(lane)]; }
    StoredBatch stored(const EpochBook& epoch, Lane lane, const RowSpan& span, Bytes bytes) const;

    const OutboxSettings& settings_;
    const StoreFolders& folders_;
    unsigned number_;
    Wear& wear_;
    sqlite::Connection connection_;
    Books books_;
    std::vector<LaneRows> rows_;
    sqlite::Statement put_dictionary_, dictionary_, put_state_, state_, page_count_, free_count_;
    HeadsFile heads_;
    std::uint64_t page_bytes_;
    BatchEncoder encoder_;
    BatchDecoder decoder_;
    std::vector<FreedRow> freed_soon_;  ///< covered by receipts, still in the file
    std::set<std::pair<Lane, std::int64_t>> told_losses_;  ///< tombstones that were sent
    std::vector<Event> events_;
    Moment last_moment_;  ///< of the last commit
    BootTime wear_saved_{};
    std::unique_ptr<Rescue> rescue_;
    std::int64_t wal_pages_ = 0;
    std::uint32_t current_ = 0;
    std::uint64_t file_bytes_ = 0, free_bytes_ = 0;  ///< at the last look
    std::uint64_t most_pages_, pages_allowed_ = 0;
    std::optional<BootTime> evicted_at_;            ///< when something had to go last
    bool heads_fail_ = false, books_known_ = true;  ///< unknown: a failure left them in between
};

}  // namespace gateway
