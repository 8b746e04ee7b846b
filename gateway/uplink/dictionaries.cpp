#include "gateway/uplink/dictionaries.hpp"

#include "gateway/runtime/log.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace gateway {

namespace {

constexpr const char* state_key = "dictionaries_retained";
constexpr std::size_t hex_digits = 16;
constexpr std::size_t most_at_once = 16;

/// What the store remembers as retained by the broker: hashes in hex, one after the other.
std::set<DictionaryHash> retained(Outbox& outbox)
{
    std::set<DictionaryHash> hashes;
    const auto text = outbox.state(state_key).value_or("");
    for (std::size_t at = 0; at + hex_digits <= text.size(); at += hex_digits) {
        if (const auto hash = hash_from_hex(std::string_view(text).substr(at, hex_digits))) {
            hashes.insert(*hash);
        }
    }
    return hashes;
}

void remember(Outbox& outbox, const std::set<DictionaryHash>& hashes)
{
    std::string text;
    for (const auto hash : hashes) {
        text += hash_hex(hash);
    }
    outbox.set_state(state_key, text);
}

struct Found {
    DictionaryHash hash = 0;
    std::optional<std::string> bytes;
};

std::vector<Found> look_up(Outbox& outbox, const std::vector<DictionaryHash>& hashes)
{
    std::vector<Found> found;
    auto known = retained(outbox);
    const auto before = known.size();
    for (const auto hash : hashes) {
        found.push_back({hash, outbox.dictionary(hash)});
        if (found.back().bytes) {
            known.insert(hash);
        }
    }
    if (known.size() != before) {
        remember(outbox, known);
    }
    return found;
}

/// What is retained for nobody; forgotten on return.
std::vector<DictionaryHash> take_unused(Outbox& outbox, std::set<DictionaryHash> used)
{
    const auto held = outbox.dictionaries_held();
    used.insert(held.begin(), held.end());
    const auto known = retained(outbox);
    std::vector<DictionaryHash> unused;
    std::set<DictionaryHash> kept;
    for (const auto hash : known) {
        if (used.contains(hash)) {
            kept.insert(hash);
        } else {
            unused.push_back(hash);
        }
    }
    if (!unused.empty()) {
        remember(outbox, kept);
    }
    return unused;
}

void ignore(mqtt::Outcome) {}

}  // namespace

Dictionaries::Dictionaries(Worker& store, Outbox& outbox, mqtt::Client& client,
                           const Topics& topics)
    : store_(store), outbox_(outbox), client_(client), topics_(topics)
{
}

bool Dictionaries::ready(const std::vector<DictionaryHash>& hashes)
{
    bool all = true;
    for (const auto hash : hashes) {
        if (!published_.contains(hash)) {
            wanted_.insert(hash);
            all = false;
        }
    }
    return all;
}

boost::asio::awaitable<void> Dictionaries::publish_wanted()
{
    auto& source = wanted_.empty() ? asked_ : wanted_;
    std::vector<DictionaryHash> some;
    std::copy_n(source.begin(), std::min(source.size(), most_at_once), std::back_inserter(some));
    auto job = [&outbox = outbox_, &some] { return look_up(outbox, some); };
    const auto found = co_await store_.run(job);
    for (const auto& dictionary : found) {
        const bool needed = wanted_.erase(dictionary.hash) > 0;
        asked_.erase(dictionary.hash);
        if (dictionary.bytes) {
            publish(dictionary.hash, *dictionary.bytes);
        } else if (needed) {
            // It holds no data back: the platform will ask for it.
            published_.insert(dictionary.hash);
            log(LogLevel::warning, "no such dictionary", {{"hash", hash_hex(dictionary.hash)}});
        }
    }
}

void Dictionaries::publish(DictionaryHash hash, const std::string& text)
{
    published_.insert(hash);
    auto bytes = std::make_shared<const Bytes>(text.begin(), text.end());
    client_.publish(topics_.dictionary(hash), std::move(bytes), true, ignore);
}

boost::asio::awaitable<void> Dictionaries::clear_unused(std::set<DictionaryHash> current)
{
    auto job = [&outbox = outbox_, &current] { return take_unused(outbox, current); };
    const auto unused = co_await store_.run(job);
    for (const auto hash : unused) {
        published_.erase(hash);
        client_.publish(topics_.dictionary(hash), std::make_shared<const Bytes>(), true, ignore);
    }
}

}  // namespace gateway
