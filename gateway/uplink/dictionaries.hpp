#pragma once

#include "gateway/core/event.hpp"
#include "gateway/mqtt/client.hpp"
#include "gateway/runtime/worker.hpp"
#include "gateway/store/outbox.hpp"
#include "gateway/uplink/topics.hpp"

#include <boost/asio/awaitable.hpp>

#include <set>
#include <string>
#include <vector>

namespace gateway {

/// The dictionaries of one session: each is published retained before the first batch that names
/// it, again when the platform needs it, and cleared when nothing names it any more. Which ones the
/// broker may still retain is remembered in the store, over restarts. Runs on the loop.
class Dictionaries {
public:
    Dictionaries(Worker& store, Outbox& outbox, mqtt::Client& client, const Topics& topics);

    /// True when all were published in this session; else they are wanted.
    bool ready(const std::vector<DictionaryHash>& hashes);
    /// The platform lacks it.
    void publish_again(DictionaryHash hash) { asked_.insert(hash); }
    bool wanted() const { return !wanted_.empty() || !asked_.empty(); }
    boost::asio::awaitable<void> publish_wanted();
    /// Clears what no held batch names, but for `current`.
    boost::asio::awaitable<void> clear_unused(std::set<DictionaryHash> current);

private:
    void publish(DictionaryHash hash, const std::string& text);

    Worker& store_;
    Outbox& outbox_;
    mqtt::Client& client_;
    const Topics& topics_;
    std::set<DictionaryHash> published_;
    std::set<DictionaryHash> wanted_;  // by batches
    std::set<DictionaryHash> asked_;   // for by the platform; it may name anything
};

}  // namespace gateway
