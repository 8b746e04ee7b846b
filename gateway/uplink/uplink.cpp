#include "gateway/uplink/uplink.hpp"

#include "gateway/core/defect.hpp"
#include "gateway/runtime/deadline.hpp"
#include "gateway/runtime/network.hpp"
#include "gateway/uplink/uplink_state.hpp"

#include <algorithm>
#include <utility>

namespace gateway {

namespace asio = boost::asio;

namespace {

constexpr Duration resolve_limit = std::chrono::seconds(10);
constexpr Duration between_looks = std::chrono::seconds(1);  // at the network, while it pauses
constexpr std::size_t packet_overhead = 256;  // header, topic and properties of a PUBLISH
constexpr std::size_t session_digits = 16;
constexpr std::size_t most_own_sessions = 16;
constexpr Duration shortest_farewell = std::chrono::milliseconds(500);
constexpr Duration longest_last_word = std::chrono::milliseconds(500);

std::chrono::milliseconds in_ms(Duration duration)
{
    return std::chrono::ceil<std::chrono::milliseconds>(duration);
}

Bytes bytes_of(const std::string& text)
{
    return {text.begin(), text.end()};
}

asio::awaitable<Status> say_offline(mqtt::Client& client, std::string topic, std::string text)
{
    const auto outcome = co_await client.publish(std::move(topic), std::move(text), true);
    co_return outcome.error ? Status(outcome.error) : Status();
}

}  // namespace

mqtt::Options connect_options(const UplinkConfig& config, const std::string& address,
                              std::optional<WallTime> certificate_time)
{
    const auto& site = config.settings;
    mqtt::Options options;
    options.address = address;
    options.port = site.port;
    options.client_id = config.box;
    options.mqtt5 = site.mqtt5;
    options.keep_alive = std::chrono::duration_cast<std::chrono::seconds>(site.keep_alive);
    options.user = site.user;
    options.password = config.password;
    options.tls = site.tls;
    options.server_name = site.host == address ? "" : site.host;
    options.ca_file = config.ca_file;
    options.certificate_file = config.certificate_file;
    options.key_file = config.key_file;
    options.certificate_time = certificate_time;
    options.most_in_flight = std::max<std::size_t>(site.in_flight * 2, 200);
    options.connect_timeout = in_ms(config.connect_timeout);
    options.answer_timeout = in_ms(config.answer_timeout);
    return options;
}

Uplink::State::State(asio::any_io_executor executor, Worker& store, Worker& mqtt,
                     Resolver& resolver, Outbox& outbox, Clock& clock, UplinkConfig config,
                     UplinkHooks hooks)
    : executor_(executor),
      store_(store),
      mqtt_(mqtt),
      resolver_(resolver),
      outbox_(outbox),
      clock_(clock),
      config_(std::move(config)),
      hooks_(std::move(hooks)),
      topics_(config_.org, config_.box),
      backoff_(config_.backoff),
      wake_(executor),
      stopped_(executor),
      commands_(executor, clock, all_handlers(std::move(hooks_.commands)),
                [this](const std::string& text) { publish(topics_.answer, text, false); })
{
}

asio::awaitable<void> Uplink::State::run()
{
    running_ = true;
    while (!stop_by_) {
        const auto began = clock_.now();
        const auto network = network_state();
        try_now_ = false;
        co_await hold_session();
        if (stop_by_) {
            break;
        }
        if (std::exchange(status_.connected, false)) {
            backoff_.connected_for(clock_.now() - began);
            try_now_ = false;  // it was asked for before there was a connection to lose
        }
        const auto delay = std::exchange(taken_over_, false) ? backoff_.longest() : backoff_.next();
        co_await pause(delay, network);
    }
    running_ = false;
    stopped_.notify();
}

/// Until it is time to try again, or `network` is another by now: what failed in the one says
/// nothing of the next.
asio::awaitable<void> Uplink::State::pause(Duration length, const std::string& network)
{
    const auto end = clock_.now() + length;
    while (!stop_by_ && !try_now_ && clock_.now() < end) {
        co_await wake_.wait(std::min(end - clock_.now(), between_looks));
        if (network_state() != network) {
            backoff_.start_afresh();
            co_return;
        }
    }
}

asio::awaitable<void> Uplink::State::hold_session()
{
    Session session;
    session.id = Id128::random().hex().substr(0, session_digits);
    own_sessions_.push_back(session.id);
    if (own_sessions_.size() > most_own_sessions) {
        own_sessions_.pop_front();
    }
    struct Current {
        Session*& place;
        ~Current() { place = nullptr; }
    } const current{session_};
    if (!co_await open(session)) {
        went_down(session.why);
        co_return;
    }
    session_ = &session;
    came_up();
    co_await serve(session);
    if (stop_by_) {
        co_await close(session);
    }
    co_await hear_why(session);
    keep_counts(*session.forwarder);
    heed(session.forwarder->stuck());
    session_ = nullptr;
    if (stop_by_) {
        status_.connected = false;
        co_return;
    }
    if (session.lost == Error(mqtt::session_taken_over, mqtt::reason_category())) {
        note_clone();
    }
    went_down(session.why);
}

mqtt::Options Uplink::State::options(const std::string& address, const Session& session) const
{
    auto options = connect_options(config_, address, certificate_time());
    const auto offline = state_json(config_.box, session.id, "offline");
    options.will = mqtt::Message{topics_.state, bytes_of(offline), true};
    return options;
}

ForwarderSettings Uplink::State::forwarder_settings(unsigned receive_maximum,
                                                    std::size_t most_packet_bytes) const
{
    const auto& site = config_.settings;
    ForwarderSettings settings;
    settings.window.messages = std::clamp(site.in_flight, 1U, receive_maximum);
    settings.window.history_bytes_per_second = site.history_bytes_per_second;
    // A 3.1.1 broker's refusal looks like success.
    settings.release_on_puback =
        (site.release == Release::puback && site.mqtt5) || planted(Defect::freed_on_puback);
    settings.most_wire_bytes = std::min(config_.most_wire_bytes, most_packet_bytes);
    settings.good_wire_bytes =
        clock_.now() < small_until_ ? good_wire_bytes_ : config_.most_wire_bytes;
    settings.renew_after_refusal = config_.renew_after_refusal;
    return settings;
}

/// False: there is no session, `why` says why not.
asio::awaitable<bool> Uplink::State::open(Session& session)
{
    const auto address = co_await resolver_.resolve(config_.settings.host, resolve_limit);
    if (!address) {
        session.why = "cannot look up " + config_.settings.host + ": " + address.error().message();
        co_return false;
    }
    session.client = std::make_unique<mqtt::Client>(executor_, mqtt_, options(*address, session));
    session.client->on_message([this](mqtt::Message message) { received(std::move(message)); });
    session.client->on_lost([this, &session](Error error, std::string why) {
        session.ended = true;
        session.lost = error;
        session.why = std::move(why);
        wake_.notify();
    });
    const auto limits = co_await session.client->connect();
    if (!limits) {
        session.why = session.client->problem();
        heed(session.client->finding());
        co_return false;
    }
    const ForwarderParts parts{store_,          outbox_, *session.client, topics_, clock_,
                               hooks_.on_event, wake_};
    const auto packet = limits->maximum_packet_size;
    session.most_packet_bytes = packet - std::min(packet, packet_overhead);
    session.forwarder.emplace(
        parts, forwarder_settings(limits->receive_maximum, session.most_packet_bytes));
    const auto receipts = co_await session.client->subscribe(topics_.receipt);
    const auto orders = co_await session.client->subscribe(topics_.command);
    if (!receipts || !orders) {
        session.why = "cannot subscribe: " + session.client->problem();
        co_return false;
    }
    co_return true;
}

/// Announces the box, then forwards until the connection ends or a stop is done.
asio::awaitable<void> Uplink::State::serve(Session& session)
{
    if (status_.sessions > 1) {  // what is retained there, while it is not ours again
        co_await session.client->subscribe(topics_.state);
    }
    publish(topics_.state, state_json(config_.box, session.id, "online"), true);
    birth_due_ = true;
    manifest_due_ = true;
    session.next_health = clock_.now();
    auto& forwarder = *session.forwarder;
    while (!session.ended && !forwarder.broken()) {
        if (co_await announce(session) || co_await forwarder.step()) {
            continue;
        }
        if (stop_by_) {
            forwarder.finish();
        }
        if (stop_by_ && (forwarder.idle() || clock_.now() >= *stop_by_)) {
            co_return;
        }
        co_await wake_.wait(until_next(session));
    }
}

/// What ends a session fails its messages too, and may tell them first.
asio::awaitable<void> Uplink::State::hear_why(Session& session)
{
    const auto latest = clock_.now() + longest_last_word;
    while (session.forwarder->broken() && !session.ended && !stop_by_ && clock_.now() < latest) {
        co_await wake_.wait(latest - clock_.now());
    }
    if (!session.ended) {
        session.why = session.forwarder->broken().message();
    }
}

Duration Uplink::State::until_next(const Session& session) const
{
    auto next = std::min(session.next_manifest, session.next_health);
    if (const auto step = session.forwarder->next_step()) {
        next = std::min(next, *step);
    }
    if (stop_by_) {
        next = std::min(next, *stop_by_);
    }
    return std::max(next - clock_.now(), Duration(std::chrono::milliseconds(1)));
}

asio::awaitable<void> Uplink::State::close(Session& session)
{
    if (session.ended) {
        co_return;
    }
    co_await publish_manifest(session);  // so that the platform can tell that it has everything
    // Waited for here: the library looks only once a second whether a disconnect may go.
    auto text = state_json(config_.box, session.id, "offline");
    auto offline = say_offline(*session.client, topics_.state, std::move(text));
    const auto left = std::max(*stop_by_ - clock_.now(), shortest_farewell);
    const auto said = co_await with_deadline(std::move(offline), left);
    if (said) {
        co_await session.client->disconnect(in_ms(shortest_farewell));
    }
}

asio::awaitable<void> Uplink::State::stop(Duration limit)
{
    stop_by_ = clock_.now() + limit;
    wake_.notify();
    // The session keeps to the limit; what is on top is for its last words.
    const auto latest = *stop_by_ + std::chrono::seconds(1);
    while (running_ && clock_.now() < latest) {
        co_await stopped_.wait(latest - clock_.now());
    }
    co_await commands_.stop();
}

Uplink::Uplink(asio::any_io_executor executor, Worker& store, Worker& mqtt, Resolver& resolver,
               Outbox& outbox, Clock& clock, UplinkConfig config, UplinkHooks hooks)
    : state_(std::make_unique<State>(std::move(executor), store, mqtt, resolver, outbox, clock,
                                     std::move(config), std::move(hooks)))
{
}

Uplink::~Uplink() = default;

asio::awaitable<void> Uplink::run()
{
    return state_->run();
}

void Uplink::offer(const std::vector<StoredBatch>& batches)
{
    state_->offer(batches);
}

void Uplink::birth_changed()
{
    state_->birth_changed();
}

void Uplink::try_now()
{
    state_->try_now();
}

asio::awaitable<void> Uplink::stop(Duration limit)
{
    return state_->stop(limit);
}

UplinkStatus Uplink::status() const
{
    return state_->status();
}

}  // namespace gateway
