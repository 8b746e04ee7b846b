// What an uplink says and hears beside batches: birth, manifest, health, receipts, commands.
#include "gateway/runtime/log.hpp"
#include "gateway/uplink/manifest.hpp"
#include "gateway/uplink/uplink_state.hpp"
#include "gateway/uplink/utc.hpp"

#include <algorithm>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

namespace gateway {

namespace asio = boost::asio;

void Uplink::State::offer(const std::vector<StoredBatch>& batches)
{
    if (session_) {
        session_->forwarder->offer(batches);
    }
}

void Uplink::State::birth_changed()
{
    birth_due_ = true;
    wake_.notify();
}

void Uplink::State::publish(const std::string& topic, const std::string& text, bool retained)
{
    if (!session_) {
        return;
    }
    if (text.size() > session_->most_packet_bytes) {
        // Sent, it would end the session, and the next one.
        log(LogLevel::warning, "message larger than the broker takes",
            {{"topic", topic}, {"bytes", text.size()}});
        session_->too_large = std::to_string(text.size()) + " bytes on " + topic;
        return;
    }
    auto bytes = std::make_shared<const Bytes>(text.begin(), text.end());
    auto done = [this, topic](mqtt::Outcome outcome) {
        if (!outcome.error && outcome.reason_code >= 128) {
            log(LogLevel::warning, "the broker refused a message",
                {{"topic", topic}, {"reason", outcome.reason_code}});
            if (session_) {
                session_->refused_topic = topic;
            }
        }
    };
    session_->client->publish(topic, std::move(bytes), retained, std::move(done));
}

/// One thing that is due; false when nothing was.
asio::awaitable<bool> Uplink::State::announce(Session& session)
{
    if (std::exchange(birth_due_, false) || clock_.now() >= session.next_birth) {
        co_await publish_birth(session);
        co_return true;
    }
    if (std::exchange(manifest_due_, false) || clock_.now() >= session.next_manifest) {
        co_await publish_manifest(session);
        co_return true;
    }
    if (clock_.now() >= session.next_health) {
        session.next_health = clock_.now() + config_.health_every;
        publish(topics_.health, health_text(), false);
    }
    co_return false;
}

asio::awaitable<void> Uplink::State::publish_birth(Session& session)
{
    session.next_birth = clock_.now() + std::chrono::hours(24);  // days that are left get fewer
    BirthSession about;
    about.org = config_.org;
    about.box = config_.box;
    about.session = session.id;
    about.receiver = config_.settings.receiver;
    about.release = config_.settings.release;
    auto read = [&outbox = outbox_, &about] {
        about.epoch = outbox.epoch();
        about.disk = outbox.use();
        about.epochs = outbox.epochs();
        about.first_receipt = outbox.state("first_receipt");
        return true;
    };
    co_await store_.run(read);
    session.forwarder->announced(about.epochs);
    publish(topics_.birth, birth_json(hooks_.birth(), about), true);
}

asio::awaitable<void> Uplink::State::publish_manifest(Session& session)
{
    session.next_manifest = clock_.now() + config_.manifest_every;
    auto read = [&outbox = outbox_] { return outbox.epochs(); };
    const auto epochs = co_await store_.run(read);
    publish(topics_.manifest, manifest_json(config_.box, epochs), false);
    std::set<DictionaryHash> current;
    const auto input = hooks_.birth();
    for (const auto& device : input.devices) {
        current.insert(device.dictionary);
    }
    co_await session.forwarder->clear_dictionaries(std::move(current));
}

std::string Uplink::State::health_text() const
{
    const auto now = status();
    json::object uplink;
    uplink["sessions"] = now.sessions;
    uplink["sent_batches"] = now.sent_batches;
    uplink["sent_bytes"] = now.sent_bytes;
    uplink["acknowledged_batches"] = now.acknowledged_batches;
    uplink["receipts"] = now.receipts;
    uplink["ignored_receipts"] = now.ignored_receipts;
    uplink["refused_commands"] = now.refused_commands;
    uplink["in_flight"] = now.in_flight;
    uplink["unreceipted"] = now.unreceipted;
    uplink["live_queue"] = now.live_queue;
    json::object health = hooks_.health ? hooks_.health() : json::object();
    health["schema"] = "smartstate.health/1";
    health["box"] = config_.box;
    health["session"] = session_->id;
    health["time"] = utc_text(clock_.wall().wall);
    health["uplink"] = std::move(uplink);
    return json::serialize(health);
}

void Uplink::State::received(mqtt::Message message)
{
    if (!session_) {
        return;
    }
    const std::string_view text(reinterpret_cast<const char*>(message.payload.data()),
                                message.payload.size());
    if (message.topic == topics_.state) {
        state_received(text);
    } else if (message.retained) {
        return;  // a retained receipt or command is somebody's mistake, or old
    } else if (message.topic == topics_.receipt) {
        receipt_received(text);
    } else if (message.topic == topics_.command) {
        commands_.received(text);
    }
}

void Uplink::State::receipt_received(std::string_view text)
{
    auto receipt = parse_receipt(text);
    if (!receipt || receipt->box != config_.box || receipt->receiver != config_.settings.receiver) {
        if (status_.ignored_receipts++ == 0) {
            log(LogLevel::warning, "receipt ignored",
                {{"topic", topics_.receipt},
                 {"why",
                  receipt ? "not from our receiver for this box" : receipt.error().message()}});
        }
        return;
    }
    session_->forwarder->received(std::move(*receipt));
}

/// Two clients of one name throw each other out, and not every broker says why: whoever is online
/// in a session that is none of ours has been connected in our name since ours.
void Uplink::State::state_received(std::string_view text)
{
    constexpr std::size_t longest_state = 1'024;
    const auto parsed = parse_json(text, longest_state);
    if (!parsed || !parsed->is_object() || text_of(parsed->as_object(), "state") != "online") {
        return;
    }
    const auto id = text_of(parsed->as_object(), "session");
    if (std::ranges::find(own_sessions_, id) == own_sessions_.end()) {
        note_clone();
    }
}

void Uplink::State::note_clone()
{
    if (!std::exchange(taken_over_, true)) {
        hooks_.on_event(
            {"clone?", Severity::error, "another client uses this box's name at the broker", ""});
    }
}

void Uplink::State::came_up()
{
    ++status_.sessions;
    status_.connected = true;
    status_.since = clock_.wall().wall;
    status_.problem.clear();
    down_told_ = false;
    trouble_ = tls::Trouble::none;
    log(LogLevel::info, "uplink connected", {{"broker", config_.settings.host}});
}

void Uplink::State::went_down(const std::string& why)
{
    if (!down_told_) {
        down_told_ = true;
        status_.since = clock_.wall().wall;
        log(LogLevel::warning, "uplink down, readings are kept",
            {{"broker", config_.settings.host}, {"why", why}});
    }
    status_.problem = why;
}

/// What TLS does not work for is told once, and again when it is another thing.
void Uplink::State::heed(const tls::Finding& finding)
{
    using tls::Trouble;
    if (finding.signed_time && hooks_.on_signed_time) {
        hooks_.on_signed_time(*finding.signed_time);
    }
    const bool outage = finding.trouble == Trouble::none ||
                        finding.trouble == Trouble::unreachable ||
                        finding.trouble == Trouble::closed;
    if (!outage && std::exchange(trouble_, finding.trouble) != finding.trouble) {
        hooks_.on_event({"tls-" + std::string(to_string(finding.trouble)), Severity::error,
                         "No connection to the platform: " + finding.text, ""});
    }
}

/// A batch that is too large for a slow line, or for a broker that does not say so, ends one
/// session after the other: then smaller ones are tried, for a day.
void Uplink::State::heed(const std::optional<SentBatch>& stuck)
{
    constexpr unsigned most_sessions = 3;
    constexpr std::size_t small = 8'192;
    constexpr Duration day = std::chrono::hours(24);
    const bool again =
        stuck && stuck_ && stuck->key == stuck_->key && stuck->range == stuck_->range;
    stuck_sessions_ = again ? stuck_sessions_ + 1 : 1;
    stuck_ = stuck;
    if (stuck && stuck->bytes > small && stuck_sessions_ >= most_sessions) {
        good_wire_bytes_ = std::max(stuck->bytes / 2, small);
        small_until_ = clock_.now() + day;
        log(LogLevel::warning, "a batch does not reach the broker, smaller ones are tried",
            {{"bytes", stuck->bytes}, {"lane", to_string(stuck->key.lane)}});
    }
}

std::optional<WallTime> Uplink::State::certificate_time() const
{
    return hooks_.certificate_time ? std::optional(hooks_.certificate_time()) : std::nullopt;
}

void Uplink::State::try_now()
{
    try_now_ = true;
    wake_.notify();
}

/// A session's counts become part of the total.
void Uplink::State::keep_counts(const Forwarder& forwarder)
{
    const auto counts = forwarder.counts();
    status_.sent_batches += counts.sent_batches;
    status_.sent_bytes += counts.sent_bytes;
    status_.acknowledged_batches += counts.acknowledged_batches;
    status_.receipts += counts.receipts;
    status_.ignored_receipts += forwarder.unknown_epochs();
    if (counts.last_acknowledgement) {
        status_.last_acknowledgement = counts.last_acknowledgement;
    }
    if (counts.last_receipt) {
        status_.last_receipt = counts.last_receipt;
    }
}

UplinkStatus Uplink::State::status() const
{
    auto status = status_;
    status.refused_commands = commands_.refused();
    if (!session_) {
        return status;
    }
    const auto counts = session_->forwarder->counts();
    status.sent_batches += counts.sent_batches;
    status.sent_bytes += counts.sent_bytes;
    status.acknowledged_batches += counts.acknowledged_batches;
    status.receipts += counts.receipts;
    status.ignored_receipts += session_->forwarder->unknown_epochs();
    status.in_flight = counts.in_flight;
    status.unreceipted = counts.unreceipted;
    status.live_queue = counts.live_queue;
    status.unconfirmed_since = counts.unconfirmed_since;
    status.refused_topic =
        counts.refused_topic.empty() ? session_->refused_topic : counts.refused_topic;
    status.too_large = session_->too_large;
    if (counts.last_acknowledgement) {
        status.last_acknowledgement = counts.last_acknowledgement;
    }
    if (counts.last_receipt) {
        status.last_receipt = counts.last_receipt;
    }
    return status;
}

CommandHandlers Uplink::State::all_handlers(CommandHandlers handlers)
{
    handlers["rebirth"] = [this](json::object arguments) { return rebirth(std::move(arguments)); };
    handlers["replay"] = [this](json::object arguments) { return replay(std::move(arguments)); };
    return handlers;
}

asio::awaitable<Answer> Uplink::State::rebirth(json::object)
{
    birth_due_ = true;
    manifest_due_ = true;
    wake_.notify();
    co_return Answer();
}

asio::awaitable<Answer> Uplink::State::replay(json::object arguments)
{
    Answer answer;
    answer.state = "failed";
    const auto epoch = EpochId::from_hex(text_of(arguments, "epoch"));
    const auto lane = lane_from(text_of(arguments, "lane"));
    const auto* value = arguments.if_contains("ranges");
    const auto ranges = value ? parse_ranges(*value) : std::nullopt;
    if (!epoch || !lane || !ranges) {
        answer.text = "replay needs epoch, lane and ranges";
    } else if (!session_ || !session_->forwarder->replay({*epoch, *lane}, *ranges)) {
        answer.text = "this box has no such epoch";
    } else {
        answer.state = "done";
        answer.text = "what is still held is sent again";
    }
    co_return answer;
}

}  // namespace gateway
