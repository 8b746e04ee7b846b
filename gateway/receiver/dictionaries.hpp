#pragma once

#include "gateway/receiver/dictionary.hpp"
#include "gateway/receiver/ledger_state.hpp"

#include <map>
#include <memory>
#include <string>
#include <utility>

namespace gateway {

/// Every dictionary that came: kept in the state, those in use also in memory.
class Dictionaries {
public:
    explicit Dictionaries(LedgerState& ledger) : ledger_(ledger) {}

    /// Keeps a dictionary; refused unless it is whole and of its topic's box, org and hash.
    Checked<std::shared_ptr<const Dictionary>> add(const Topic& topic, std::string_view bytes);
    /// Null when it did not come yet.
    std::shared_ptr<const Dictionary> find(const Topic& batch_topic, DictionaryHash hash);

private:
    using Key = std::pair<std::string, DictionaryHash>;
    using Found = std::shared_ptr<const Dictionary>;  // shared with the lines being written

    const Found& remember(Key key, Found dictionary);

    LedgerState& ledger_;
    // Two generations: when the young one is full it becomes the old one, and what is not asked for
    // meanwhile goes with it.
    std::map<Key, Found> young_, old_;
    std::size_t young_bytes_ = 0;
};

}  // namespace gateway
