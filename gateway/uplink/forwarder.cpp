#include "gateway/uplink/forwarder.hpp"

#include "gateway/store/batch.hpp"

#include <algorithm>
#include <utility>

namespace gateway {

namespace asio = boost::asio;

namespace {

constexpr std::size_t most_live_batches = 64;
constexpr std::size_t most_live_bytes = 2'097'152;
constexpr Duration first_pause = std::chrono::seconds(1);
constexpr Duration longest_pause = std::chrono::seconds(60);
constexpr int first_refusal = 128;
constexpr std::size_t smallest_wire_bytes = 1'024;

}  // namespace

Forwarder::Forwarder(const ForwarderParts& parts, ForwarderSettings settings)
    : parts_(parts),
      settings_(settings),
      window_(settings.window),
      dictionaries_(parts.store, parts.outbox, parts.client, parts.topics),
      pause_(first_pause)
{
}

std::vector<DictionaryHash> Forwarder::needs_of(const StoredBatch& batch)
{
    std::vector<DictionaryHash> needs;
    if (const auto summary = decode_header(*batch.bytes)) {
        for (const auto& dictionary : summary->header.dictionaries) {
            needs.push_back(dictionary.hash);
        }
    }
    return needs;
}

// ---- one batch

bool Forwarder::is_too_large(const StoredBatch& batch) const
{
    const auto bytes = batch.bytes->size();
    return bytes > settings_.most_wire_bytes ||
           (bytes > settings_.good_wire_bytes && !whole_.contains({key_of(batch), batch.first}));
}

bool Forwarder::may_send(Urgency urgency, std::size_t bytes, const std::string& topic) const
{
    const auto now = parts_.clock.now();
    return now >= paused_until_ && !held_topics_.contains(topic) &&
           window_.admits(urgency, bytes, now) &&
           may_stay_unreceipted(urgency, sent_.unreceipted_batches(), sent_.unreceipted_bytes());
}

void Forwarder::send(const StoredBatch& batch, Urgency urgency, const std::string& topic)
{
    const SentBatch sending{
        key_of(batch), batch.epoch_number, batch.range(),         batch.bytes->size(), urgency,
        &topic,        batch.tombstone,    ++counts_.sent_batches};
    sent_.add(sending.key, sending.range, sending.bytes, sending.tombstone);
    window_.sent(urgency, sending.bytes, parts_.clock.now());
    counts_.sent_bytes += sending.bytes;
    parts_.client.publish(topic, batch.bytes, false,
                          [this, sending](mqtt::Outcome outcome) { ended(sending, outcome); });
}

void Forwarder::ended(const SentBatch& sending, const mqtt::Outcome& outcome)
{
    window_.acknowledged(sending.urgency, sending.bytes, parts_.clock.now());
    if (outcome.error) {
        broken_ = broken_ ? broken_ : outcome.error;
        if (!stuck_ || sending.number < stuck_->number) {  // they come in any order
            stuck_ = sending;
        }
    } else if (outcome.reason_code >= first_refusal) {
        refused(sending, outcome.reason_code);
    } else {
        ++counts_.acknowledged_batches;
        counts_.last_acknowledgement = parts_.clock.wall().wall;
        if (!settings_.release_on_puback && !counts_.unconfirmed_since) {
            counts_.unconfirmed_since = parts_.clock.now();
        }
        pause_ = first_pause;
        if (sending.tombstone) {
            losses_told_.emplace_back(sending.key, sending.range);
        }
        if (settings_.release_on_puback) {
            acknowledged_[sending.key].add(sending.range);
        }
        send_live();
    }
    parts_.wake.notify();
}

void Forwarder::refused(const SentBatch& sending, int reason)
{
    constexpr int malformed = 129, topic_invalid = 144, receive_maximum = 147, rate_too_high = 150,
                  payload_invalid = 153;
    sent_.withdraw(sending.key, sending.range);
    rewind(sending.key);
    switch (reason) {
        case mqtt::not_authorized:
        case topic_invalid:
            renew_at_ = renew_at_.value_or(parts_.clock.now() + settings_.renew_after_refusal);
            if (held_topics_.insert(*sending.topic).second) {
                counts_.refused_topic = *sending.topic;
                parts_.on_event({"topic-refused", Severity::error,
                                 "the broker does not let this box publish on " + *sending.topic,
                                 ""});
            }
            return;
        case mqtt::packet_too_large:
            settings_.most_wire_bytes = std::max(
                std::min(settings_.most_wire_bytes, sending.bytes / 2), smallest_wire_bytes);
            repairs_.push_back({sending.key, sending.epoch_number, sending.range, true, false});
            return;
        case malformed:
        case payload_invalid:
            // Twice, and the batch goes as a whole; its tombstone is never given up.
            if (++refusals_[{sending.key, sending.range.first}] >= 2 && !sending.tombstone) {
                repairs_.push_back(
                    {sending.key, sending.epoch_number, sending.range, false, false});
                return;
            }
            break;
        case mqtt::quota_exceeded:
        case receive_maximum:
        case rate_too_high:
            window_.halve();
            break;
        default:
            break;
    }
    pause();
}

/// The broker has its reasons; data is offered again and again, ever more slowly.
void Forwarder::pause()
{
    const auto now = parts_.clock.now();
    if (now >= paused_until_) {
        paused_until_ = now + pause_;
        pause_ = std::min(pause_ * 2, longest_pause);
    }
}

// ---- live

void Forwarder::offer(const std::vector<StoredBatch>& batches)
{
    for (const auto& batch : batches) {
        live_epoch_ = std::max(live_epoch_, batch.epoch_number);
        if (batch.epoch_number != live_epoch_) {
            rewind(key_of(batch));  // recovered from an earlier run
            continue;
        }
        if (sent_.contains(key_of(batch), batch.range(), batch.tombstone)) {
            continue;  // history was faster
        }
        auto& offered = offered_[index_of(batch.lane)];
        offered = std::max(offered, batch.range().last);
        auto& queue = is_urgent(batch.lane) ? urgent_ : live_;
        live_bytes_ += batch.bytes->size();
        queue.push_back({batch, needs_of(batch)});
    }
    send_live();
    shed_live();
    parts_.wake.notify();
}

void Forwarder::send_live()
{
    send_queue(urgent_, Urgency::urgent);
    send_queue(live_, Urgency::live);
}

void Forwarder::send_queue(std::deque<Waiting>& queue, Urgency urgency)
{
    while (!queue.empty()) {
        auto& next = queue.front();
        const auto& topic = parts_.topics.live(next.batch.lane);
        const auto size = next.batch.bytes->size();
        if (held_topics_.contains(topic) || is_too_large(next.batch)) {
            leave_to_history(queue);
            continue;
        }
        if (!dictionaries_.ready(next.needs) || !may_send(urgency, size, topic)) {
            return;
        }
        const auto batch = std::move(next.batch);
        live_bytes_ -= size;
        queue.pop_front();
        send(batch, urgency, topic);
    }
}

/// What was not sent in time becomes history: the outbox has it.
void Forwarder::shed_live()
{
    while (live_.size() + urgent_.size() > most_live_batches || live_bytes_ > most_live_bytes) {
        leave_to_history(live_.empty() ? urgent_ : live_);
    }
}

void Forwarder::leave_to_history(std::deque<Waiting>& queue)
{
    const auto& batch = queue.front().batch;
    live_bytes_ -= batch.bytes->size();
    look_again(batch.lane);
    queue.pop_front();
}

/// From this sequence of the current epoch on, the lane is sent live.
std::optional<std::uint64_t> Forwarder::live_from(Lane lane) const
{
    if (offered_[index_of(lane)] == 0) {
        return std::nullopt;
    }
    for (const auto& waiting : is_urgent(lane) ? urgent_ : live_) {
        if (waiting.batch.lane == lane) {
            return waiting.batch.first;
        }
    }
    return offered_[index_of(lane)] + 1;
}

// ---- the whole

asio::awaitable<bool> Forwarder::step()
{
    if (renew_at_ && parts_.clock.now() >= *renew_at_ && !broken_) {
        broken_ = Error(mqtt::not_authorized, mqtt::reason_category());
        co_return true;
    }
    if (!losses_told_.empty()) {
        co_await note_losses_told();
        co_return true;
    }
    if (!receipts_.empty() || hello_ || !acknowledged_.empty()) {
        co_await apply_receipt();
        co_return true;
    }
    if (dictionaries_.wanted()) {
        co_await dictionaries_.publish_wanted();
        send_live();
        co_return true;
    }
    if (!repairs_.empty()) {
        co_await repair();
        co_return true;
    }
    if (!forgettable_.empty()) {
        co_await forget_epochs();
        co_return true;
    }
    send_live();
    send_fetched();
    if (dictionaries_.wanted() || !repairs_.empty()) {
        co_return true;
    }
    const auto lane = lane_behind();
    if (fetched_.empty() && lane && history_possible()) {
        co_await fetch(*lane);
        co_return true;
    }
    co_return false;
}

std::optional<Instant> Forwarder::next_step() const
{
    const auto now = parts_.clock.now();
    const auto opens = std::max(paused_until_, window_.history_opens());
    auto next = renew_at_;
    if (opens > now) {
        next = std::min(opens, next.value_or(opens));
    }
    return next;
}

}  // namespace gateway
