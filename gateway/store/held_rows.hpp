#pragma once

#include "gateway/core/ranges.hpp"
#include "gateway/store/batch.hpp"
#include "gateway/store/heads.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace gateway {

/// A row as it lies in a store.
struct HeldRow {
    unsigned store = 0;  ///< 0: the one that a running service has open
    std::uint32_t epoch_number = 0;
    std::uint64_t first = 0;  ///< its first sequence, by its key
    Bytes message;
};

/// The rows of a state directory, for who looks at them: from its files, or from the service that
/// has them open. Nothing of what they say is trusted.
class HeldRows {
public:
    HeldRows() = default;
    HeldRows(const HeldRows&) = delete;
    HeldRows& operator=(const HeldRows&) = delete;
    virtual ~HeldRows() = default;

    virtual const std::string& directory() const = 0;
    /// Ascending; the last is the one in use. Empty when a running service has them.
    virtual const std::vector<unsigned>& stores() const = 0;
    virtual std::uint64_t size_bytes() const = 0;  ///< of all its files
    /// Visits each row once; those of one epoch and lane come in the order of their sequences.
    /// Throws StoreError when it cannot.
    virtual void visit(const std::function<void(const HeldRow&)>& with) = 0;
    /// The heads that were durable beside the stores.
    virtual std::optional<std::vector<EpochHeads>> heads() const = 0;

    // What visit() has come upon.
    const std::map<DictionaryHash, std::string>& dictionaries() const { return dictionaries_; }
    /// Sequences given and what the platform had of them.
    struct LaneBooks {
        std::uint64_t head = 0;
        RangeSet received;
    };
    std::optional<LaneBooks> books(unsigned store, std::uint32_t epoch_number, Lane lane) const
    {
        const auto found = books_.find({store, epoch_number, lane});
        return found == books_.end() ? std::nullopt : std::optional(found->second);
    }
    /// Stores that could not be read to the end, with the reason.
    const std::map<unsigned, std::string>& problems() const { return problems_; }

protected:
    std::map<DictionaryHash, std::string> dictionaries_;
    std::map<std::tuple<unsigned, std::uint32_t, Lane>, LaneBooks> books_;
    std::map<unsigned, std::string> problems_;
};

}  // namespace gateway
