#include "gateway/receiver/dictionaries.hpp"

namespace gateway {

namespace {

constexpr std::size_t most_young_bytes = 32U << 20U;

}  // namespace

const Dictionaries::Found& Dictionaries::remember(Key key, Found dictionary)
{
    if (young_bytes_ > most_young_bytes) {
        old_ = std::exchange(young_, {});
        young_bytes_ = 0;
    }
    young_bytes_ += dictionary->size_bytes();
    return young_[std::move(key)] = std::move(dictionary);
}

Checked<std::shared_ptr<const Dictionary>> Dictionaries::add(const Topic& topic,
                                                             std::string_view bytes)
{
    auto parsed = Dictionary::parse(bytes, topic);
    if (!parsed) {
        return parsed.error();
    }
    if (!ledger_.put_dictionary(topic.box, topic.hash, bytes)) {
        return Refusal{"the box has published too many dictionaries", RefusalKind::limit};
    }
    return remember({topic.box, topic.hash},
                    std::make_shared<const Dictionary>(std::move(*parsed)));
}

std::shared_ptr<const Dictionary> Dictionaries::find(const Topic& batch_topic, DictionaryHash hash)
{
    Key key{batch_topic.box, hash};
    if (const auto young = young_.find(key); young != young_.end()) {
        return young->second;
    }
    if (const auto old = old_.find(key); old != old_.end()) {
        return remember(std::move(key), old->second);
    }
    const auto bytes = ledger_.dictionary(batch_topic.box, hash);
    if (!bytes) {
        return nullptr;
    }
    const Topic topic{TopicKind::dictionary, batch_topic.org, batch_topic.box, hash};
    auto parsed = Dictionary::parse(*bytes, topic);
    return parsed ? remember(std::move(key), std::make_shared<const Dictionary>(std::move(*parsed)))
                  : nullptr;
}

}  // namespace gateway
