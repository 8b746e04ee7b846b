#pragma once

#include "gateway/core/ids.hpp"
#include "gateway/core/lane.hpp"
#include "gateway/receiver/account.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gateway {

/// An epoch of a box as a receiver knows it.
struct EpochRecord {
    std::int64_t number = 0;  ///< of this state; ascending in the order they were met
    std::string box;
    EpochId id;
    bool closed = false;  ///< its heads are final
    bool listed = false;  ///< a birth has named it
};

/// A stretch that was declared lost and is not here.
struct Gap {
    Range range;
    std::string reason;
};

/// What a receiver knows of the clock of one boot.
struct BootDate {
    std::optional<std::int64_t> wall_minus_boot_ms;  ///< from a synced batch
    bool undated = false;                            ///< lines without a time were written
};

struct BoxRecord {
    std::string box;
    std::string org;
    std::optional<EpochId> current;  ///< by the latest birth
};

/// How far the lines of one output file are committed.
struct OutputMark {
    std::string path;
    std::uint64_t offset = 0;
};

/// All that a receiver must not forget, in one SQLite file. What was changed is durable, all of it
/// together, when commit() returns; until then it is seen here alone. A failed call throws
/// StoreError and nothing counts as durable after it. Used from one thread at a time.
class LedgerState {
public:
    /// Opens `directory`, made if need be. Throws StoreError at once when another process has it.
    explicit LedgerState(const std::string& directory);
    ~LedgerState();
    LedgerState(const LedgerState&) = delete;
    LedgerState& operator=(const LedgerState&) = delete;

    void commit();

    std::optional<OutputMark> output();
    void set_output(const OutputMark& mark);

    std::optional<BoxRecord> box(std::string_view name);
    void put_box(const BoxRecord& record);
    std::vector<BoxRecord> boxes();

    /// The epoch, recorded when it is new.
    EpochRecord epoch(std::string_view box, const EpochId& id);
    std::optional<EpochRecord> find_epoch(std::string_view box, const EpochId& id);
    void put_epoch(const EpochRecord& record);
    std::vector<EpochRecord> epochs(std::string_view box);

    LaneAccount account(std::int64_t epoch, Lane lane);
    void put_account(std::int64_t epoch, Lane lane, const LaneAccount& account);

    void add_piece(std::int64_t epoch, Lane lane, const Piece& piece);
    /// Pieces that share a sequence with `within`, ascending.
    std::vector<Piece> pieces(std::int64_t epoch, Lane lane, Range within);
    /// Pieces that end at or below `last` are not needed any more.
    void forget_pieces(std::int64_t epoch, Lane lane, std::uint64_t last);

    void add_gap(std::int64_t epoch, Lane lane, const Gap& gap);
    std::vector<Gap> gaps(std::int64_t epoch, Lane lane);

    /// False when the box has `most_dictionaries` already.
    bool put_dictionary(std::string_view box, DictionaryHash hash, std::string_view bytes);
    std::optional<std::string> dictionary(std::string_view box, DictionaryHash hash);

    BootDate boot_date(std::string_view box, const BootId& boot);
    void put_boot_date(std::string_view box, const BootId& boot, const BootDate& date);

    static constexpr std::int64_t most_dictionaries = 20'000;  ///< of one box

private:
    class Database;
    std::unique_ptr<Database> database_;
};

}  // namespace gateway
