#pragma once

#include "gateway/store/held_rows.hpp"
#include "gateway/store/store_folders.hpp"
#include "gateway/store/store_lock.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gateway {

/// The stores of a state directory that no process has open, read without writing a byte: of a
/// stopped box, or of a card that can only be read.
class StoreReader final : public HeldRows {
public:
    /// `path`: a state directory, or the root of a card that has one at its usual place. Throws
    /// StoreError when there is none, or while a process owns it.
    explicit StoreReader(const std::string& path);

    const std::string& directory() const override { return folders_.directory(); }
    const std::vector<unsigned>& stores() const override { return stores_; }
    /// The newest store comes first; a row that came over from an older one is visited once.
    void visit(const std::function<void(const HeldRow&)>& with) override;
    std::optional<std::vector<EpochHeads>> heads() const override;
    std::uint64_t size_bytes() const override;

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
    std::vector<Key> seen_;  ///< sorted; of newer stores, while there are older ones
};

}  // namespace gateway
