#include "gateway/receiver/reception.hpp"

#include "gateway/runtime/log.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace gateway {

namespace {

// A flood of forged messages must not become a flood of log lines.
constexpr std::uint64_t most_refusals_logged_in_round = 20;

std::string_view as_text(const Bytes& payload)
{
    return {reinterpret_cast<const char*>(payload.data()), payload.size()};
}

std::string name_of(const Topic& topic)
{
    return "ss1/" + topic.org + '/' + std::string(to_string(topic.kind)) + '/' + topic.box;
}

}  // namespace

Reception::Reception(ReceptionSettings settings)
    : settings_(std::move(settings)),
      ledger_(settings_.state),
      file_(settings_.out, ledger_.output()),
      dictionaries_(ledger_),
      writer_(ledger_, dictionaries_, file_, tally_),
      held_(settings_.most_held_bytes),
      receipts_(settings_.receiver, ledger_, held_)
{
    if (const auto mark = file_.mark()) {
        ledger_.set_output(*mark);
        ledger_.commit();
    }
}

std::vector<Outgoing> Reception::take(const std::vector<mqtt::Message>& messages,
                                      Receipts::Time now)
{
    refused_in_round_ = 0;
    for (const auto& message : messages) {
        take(message);
    }
    writer_.flush();
    if (const auto mark = file_.sync()) {
        ledger_.set_output(*mark);
    }
    ledger_.commit();
    auto outgoing = std::exchange(commands_, {});
    if (!settings_.receipts) {
        receipts_.clear();
        return {};
    }
    auto due = receipts_.due(now);
    figures_.receipts(due.size());
    std::ranges::move(due, std::back_inserter(outgoing));
    return outgoing;
}

void Reception::take(const mqtt::Message& message)
{
    const auto topic = parse_topic(message.topic);
    if (!topic) {
        refuse(message.topic, topic.error());
        return;
    }
    figures_.message(topic->kind);
    if (message.payload.empty() && !carries_batch(topic->kind)) {
        return;  // a retained message that was cleared
    }
    auto refusal = check_origin(*topic);
    if (!refusal) {
        refusal = take(*topic, message);
    }
    if (refusal) {
        refuse(message.topic, *refusal);
        return;
    }
    figures_.heard(topic->box, std::chrono::system_clock::now());
    const auto known = ledger_.box(topic->box);
    if (!known || known->org != topic->org) {
        ledger_.put_box({.box = topic->box,
                         .org = topic->org,
                         .current = known ? known->current : std::nullopt});
    }
}

// Whether this box may speak for this org.
std::optional<Refusal> Reception::check_origin(const Topic& topic)
{
    if (settings_.roster) {
        const auto entry = settings_.roster->find(topic.box);
        if (entry == settings_.roster->end()) {
            return Refusal{"the box is not in the roster", RefusalKind::origin};
        }
        return entry->second == topic.org
                   ? std::nullopt
                   : std::optional(
                         Refusal{"the roster has the box under another org", RefusalKind::origin});
    }
    const auto known = ledger_.box(topic.box);
    return !known || known->org == topic.org
               ? std::nullopt
               : std::optional(Refusal{"the box is known under another org; a --roster can move it",
                                       RefusalKind::origin});
}

std::optional<Refusal> Reception::take(const Topic& topic, const mqtt::Message& message)
{
    switch (topic.kind) {
        case TopicKind::alarm:
        case TopicKind::control:
        case TopicKind::data:
        case TopicKind::history:
            return take_batch(topic, message.payload);
        case TopicKind::dictionary:
            return take_dictionary(topic, as_text(message.payload));
        case TopicKind::birth:
            return take_birth(topic, as_text(message.payload), message.retained);
        case TopicKind::manifest:
            return take_manifest(topic, as_text(message.payload));
        case TopicKind::state:
            return take_state(topic, as_text(message.payload));
    }
    return Refusal{"not a topic of this protocol"};
}

void Reception::refuse(std::string_view topic, const Refusal& refusal)
{
    ++tally_.refused;
    figures_.refused(refusal.kind);
    if (++refused_in_round_ <= most_refusals_logged_in_round) {
        log(LogLevel::warning, "message refused", {{"topic", topic}, {"reason", refusal.reason}});
    }
}

std::optional<Refusal> Reception::take_batch(const Topic& topic, ByteView message)
{
    auto taken = writer_.take(topic, message);
    if (!taken) {
        return taken.error();
    }
    if (taken->opened) {
        figures_.batch(topic.kind, *taken->opened, std::chrono::system_clock::now());
    }
    if (taken->missing.empty()) {
        receipts_.changed(topic.org, topic.box, taken->epoch);
        return std::nullopt;
    }
    log(LogLevel::info, "batch waits for its dictionary",
        {{"box", topic.box}, {"dictionary", hash_hex(taken->missing.front())}});
    HeldBatch batch{topic, Bytes(message.begin(), message.end()), std::move(taken->missing)};
    const bool held =
        held_.hold({topic.box, taken->epoch, taken->lane, taken->first}, std::move(batch));
    ++(held ? tally_.held : tally_.dropped);
    receipts_.wanting(topic.org, topic.box);
    return std::nullopt;
}

std::optional<Refusal> Reception::take_dictionary(const Topic& topic, std::string_view text)
{
    const auto added = dictionaries_.add(topic, text);
    if (!added) {
        return added.error();
    }
    for (const auto& batch : held_.release(topic.box, topic.hash)) {
        if (const auto refusal = take_batch(batch.topic, batch.message)) {
            refuse(name_of(batch.topic), *refusal);
        }
    }
    return std::nullopt;
}

std::optional<Refusal> Reception::take_state(const Topic& topic, std::string_view text)
{
    const auto state = parse_state(text, topic);
    if (!state) {
        return state.error();
    }
    const auto known = online_.find(topic.box);
    if (state->online) {
        online_[topic.box] = state->session;
        log(LogLevel::info, "box online", {{"box", topic.box}});
    } else if (known == online_.end() || known->second == state->session) {
        online_.erase(topic.box);
        log(LogLevel::info, "box offline", {{"box", topic.box}});
    }
    return std::nullopt;
}

}  // namespace gateway
