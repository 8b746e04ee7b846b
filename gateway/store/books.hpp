#pragma once

#include "gateway/store/sqlite.hpp"
#include "gateway/store/stored.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace gateway {

/// What is kept of one (epoch, lane) beside its rows.
struct LaneBook {
    LaneCounters counters;  ///< `first_held` is not kept: it follows from the rows
    std::uint64_t bytes = 0;
    RangeSet received;                        ///< what the platform has committed
    std::vector<DictionaryRef> dictionaries;  ///< in use, ascending by device
    bool changed = false;
};

struct EpochBook {
    std::uint32_t number = 0;
    EpochId id;
    BootId boot;
    bool closed = false;
    PerLane<LaneBook> lanes;
};

/// The epochs of a store and their counters, in memory and in the tables `epoch`, `counters` and
/// `dictionary_use`. Changes reach the tables by save(), within the caller's transaction; after a
/// transaction that failed, load() brings back what the tables say.
class Books {
public:
    explicit Books(sqlite::Connection& connection);

    void load();
    void save();

    /// A new epoch, numbered above all others; written at once.
    EpochBook& open(const EpochId& id, const BootId& boot);
    void close(EpochBook& epoch);
    void forget(const EpochBook& epoch);

    EpochBook* find(std::uint32_t number);
    EpochBook* find(const EpochId& id);
    const std::map<std::uint32_t, EpochBook>& all() const { return epochs_; }
    std::map<std::uint32_t, EpochBook>& all() { return epochs_; }

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
    sqlite::Connection& connection_;
    sqlite::Statement save_, use_, end_use_;
    std::map<std::uint32_t, EpochBook> epochs_;
};

}  // namespace gateway
