#pragma once

#include "gateway/core/ids.hpp"
#include "gateway/core/lane.hpp"
#include "gateway/receiver/topic.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace gateway {

/// A batch as it came, and what it waits for.
struct HeldBatch {
    Topic topic;
    Bytes message;
    std::vector<DictionaryHash> missing;
};

/// Batches whose dictionaries are not here yet (protocol.md, section 4). What finds no room is a
/// hole that its box sends again.
class HeldBatches {
public:
    explicit HeldBatches(std::size_t most_bytes) : most_bytes_(most_bytes) {}

    struct Key {
        std::string box;
        EpochId epoch;
        Lane lane = Lane::telemetry;
        std::uint64_t first = 0;
        friend bool operator<(const Key& a, const Key& b)
        {
            return std::tie(a.box, a.epoch, a.lane, a.first) <
                   std::tie(b.box, b.epoch, b.lane, b.first);
        }
    };

    /// False when there is no room. Takes the place of an earlier one of the same key.
    bool hold(const Key& key, HeldBatch batch);
    /// Takes out the batches that waited for this dictionary alone.
    std::vector<HeldBatch> release(std::string_view box, DictionaryHash hash);
    /// The dictionaries that batches of the box wait for, each once, ascending.
    std::vector<DictionaryHash> missing(std::string_view box) const;

private:
    std::size_t most_bytes_;
    std::size_t bytes_ = 0;
    std::map<Key, HeldBatch> batches_;
};

}  // namespace gateway
