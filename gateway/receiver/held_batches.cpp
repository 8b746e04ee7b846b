#include "gateway/receiver/held_batches.hpp"

#include <algorithm>
#include <set>

namespace gateway {

namespace {

constexpr std::size_t overhead_bytes = 512;

std::size_t size_of(const HeldBatch& batch)
{
    return batch.message.size() + batch.missing.size() * sizeof(DictionaryHash) + overhead_bytes;
}

}  // namespace

bool HeldBatches::hold(const Key& key, HeldBatch batch)
{
    if (const auto before = batches_.find(key); before != batches_.end()) {
        bytes_ -= size_of(before->second);
        batches_.erase(before);
    }
    const auto size = size_of(batch);
    if (bytes_ + size > most_bytes_) {
        return false;
    }
    bytes_ += size;
    batches_.emplace(key, std::move(batch));
    return true;
}

std::vector<HeldBatch> HeldBatches::release(std::string_view box, DictionaryHash hash)
{
    std::vector<HeldBatch> ready;
    auto at = batches_.lower_bound(Key{.box = std::string(box), .lane = Lane::alarm});
    while (at != batches_.end() && at->first.box == box) {
        auto& batch = at->second;
        const auto size = size_of(batch);
        std::erase(batch.missing, hash);
        bytes_ -= size - size_of(batch);
        if (batch.missing.empty()) {
            bytes_ -= size_of(batch);
            ready.push_back(std::move(batch));
            at = batches_.erase(at);
        } else {
            ++at;
        }
    }
    return ready;
}

std::vector<DictionaryHash> HeldBatches::missing(std::string_view box) const
{
    std::set<DictionaryHash> hashes;
    auto at = batches_.lower_bound(Key{.box = std::string(box), .lane = Lane::alarm});
    for (; at != batches_.end() && at->first.box == box; ++at) {
        hashes.insert(at->second.missing.begin(), at->second.missing.end());
    }
    return {hashes.begin(), hashes.end()};
}

}  // namespace gateway
