#pragma once

#include "gateway/core/ranges.hpp"
#include "gateway/store/batch.hpp"
#include "gateway/store/heads.hpp"
#include "gateway/store/store_folders.hpp"
#include "gateway/store/store_lock.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gateway {

/// A row as it lies in a store.
struct HeldRow {
    unsigned store = 0;
    std::uint32_t epoch_number = 0;
    std::uint64_t first = 0;  ///< its first sequence, by its key
    Bytes message;
};

/// The stores of a state directory that no process has open, read without writing a byte: of a
/// stopped box, or of a card that can only be read. Nothing in the files is trusted.
class StoreReader {
public:
    /// `path`: a state directory, or the root of a card that has one at its usual place. Throws
    /// StoreError when there is none, or while a process owns it.
    explicit StoreReader(const std::string& path);

    const std::string& directory() const { return folders_.directory(); }
    /// Ascending; the last is the one in use.
    const std::vector<unsigned>& stores() const { return stores_; }

    /// Visits the rows of all stores, the newest store first; a row that came over from an older
    /// one is visited once. The rows of one store come in the order of epoch and sequence.
    void visit(const std::function<void(const HeldRow&)>& with);

    // What visit() has come upon.
    const std::map<DictionaryHash, std::string>& dictionaries() const { return dictionaries_; }
    /// Sequences given and what the platform had of them.
    struct LaneBooks {
        std::uint64_t head = 0;
        RangeSet received;
    };
    std::optional<LaneBooks> books(unsigned store, std::uint32_t epoch_number, Lane lane) const;
    /// Stores that could not be read to the end, with the reason.
    const std::map<unsigned, std::string>& problems() const { return problems_; }

    /// The heads that were durable beside the stores.
    std::optional<std::vector<EpochHeads>> heads() const;
    std::uint64_t size_bytes() const;  ///< of all its files

private:
    struct Key {
        EpochId epoch;
        Lane lane = Lane::telemetry;
        std::uint64_t first = 0;
        friend auto operator<=>(const Key&, const Key&) = default;
    };
    void visit_store(unsigned number, const std::function<void(const HeldRow&)>& with);

    StoreFolders folders_;
    StoreLock lock_;
    std::vector<unsigned> stores_;
    std::map<DictionaryHash, std::string> dictionaries_;
    std::map<std::pair<unsigned, std::uint64_t>, LaneBooks> books_;
    std::map<unsigned, std::string> problems_;
    std::vector<Key> seen_;  ///< sorted; of newer stores, while there are older ones
};

}  // namespace gateway
