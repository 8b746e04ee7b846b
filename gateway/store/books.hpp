#pragma once

#include "gateway/store/sqlite.hpp"
#include "gateway/store/stored.hpp"
#include "gateway/store/tally.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace gateway {

/// What is kept of one (epoch, lane) beside its rows.
struct LaneBook {
    LaneCounters counters;  ///< `first_held` is not kept: it follows from the rows
    std::uint64_t bytes = 0;
    Tally freed;        ///< of the rows that receipts have freed: counters less what rows hold
    RangeSet received;  ///< what the platform has committed
    struct DictionaryInUse {
        std::uint16_t device = 0;
        DictionaryHash hash = 0;
        std::uint64_t first = 0;
    };
    std::vector<DictionaryInUse> dictionaries;  ///< ascending by device
    bool changed = false;

    /// The lowest sequence that the platform has not committed.
    std::uint64_t first_not_received() const;
};

/// The rowid in table `counters`.
constexpr std::uint64_t lane_key_base = 8;
constexpr std::uint64_t lane_key(std::uint32_t epoch_number, Lane lane)
{
    return std::uint64_t{epoch_number} * lane_key_base + index_of(lane);
}

Bytes pack_book(const LaneBook& book);
LaneBook unpack_book(ByteView bytes);  ///< tolerates any bytes: what is missing is zero

/// Where an epoch stands. One of a store that was set aside is `salvaged` until the last of its
/// rows has come over: nothing is added to it; `salvaged_to_head` when its heads are known to be
/// what was durable, so that nothing above them counts.
enum class EpochStage : std::uint8_t { open, closed, salvaged, salvaged_to_head };

struct EpochBook {
    std::uint32_t number = 0;
    EpochId id;
    BootId boot;
    EpochStage stage = EpochStage::open;
    PerLane<LaneBook> lanes;

    bool is_closed() const { return stage == EpochStage::closed; }
    bool is_salvaged() const { return stage >= EpochStage::salvaged; }
};

/// The epochs of a store and their counters, in memory and in the tables `epoch`, `counters` and
/// `dictionary_use`. Changes reach the tables by save(), within the caller's transaction; after a
/// transaction that failed, load() brings back what the tables say. A row that does not match its
/// checksum is StoreError.
class Books {
public:
    explicit Books(sqlite::Connection& connection);

    void load();
    void save();

    /// A new epoch, numbered above all others; written at once.
    EpochBook& open(const EpochId& id, const BootId& boot, std::uint32_t lowest_number = 1);
    /// Puts an epoch of another store; written at once.
    EpochBook& put(EpochBook epoch);
    void set_stage(EpochBook& epoch, EpochStage stage);
    void forget(const EpochBook& epoch);

    EpochBook* find(std::uint32_t number);
    EpochBook* find(const EpochId& id);
    const std::map<std::uint32_t, EpochBook>& all() const { return epochs_; }
    std::map<std::uint32_t, EpochBook>& all() { return epochs_; }

    /// Readings of the lane are lost from now on; the caller has taken them out of the other
    /// counters.
    void lose(EpochBook& epoch, Lane lane, std::uint64_t count);
    /// What was lost so since this object was made, as far as it is saved.
    const PerLane<std::uint64_t>& lost() const { return saved_lost_; }

    /// Notes that the batch beginning with `first` names these dictionaries.
    void use_dictionaries(EpochBook& epoch, Lane lane, std::uint64_t first,
                          const std::vector<DictionaryRef>& named);
    /// A dictionary and the sequences whose batches may name it.
    struct DictionaryUse {
        std::uint32_t epoch_number = 0;
        Lane lane = Lane::telemetry;
        std::uint16_t device = 0;
        DictionaryHash hash = 0;
        std::uint64_t first = 0;
        std::optional<std::uint64_t> last;  ///< nothing: in use
    };
    std::vector<DictionaryUse> dictionary_uses();

private:
    void put_use(const DictionaryUse& use);

    sqlite::Connection& connection_;
    sqlite::Statement put_epoch_, save_, use_;
    std::map<std::uint32_t, EpochBook> epochs_;
    PerLane<std::uint64_t> lost_{}, saved_lost_{};
};

}  // namespace gateway
