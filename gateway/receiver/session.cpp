#include "gateway/receiver/session.hpp"

#include "gateway/runtime/log.hpp"
#include "gateway/runtime/task_group.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <system_error>
#include <utility>

namespace gateway {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr auto longest_round = 200ms;
constexpr std::size_t most_round_bytes = 4U << 20U;
// Beyond this a message is dropped: a hole that its box sends again.
constexpr std::size_t most_arrived_bytes = 64U << 20U;
constexpr auto look_up_limit = 10s;
constexpr auto longest_pause = 30'000ms;
constexpr auto progress_interval = 60s;

bool is_cancelled(const asio::cancellation_state& state)
{
    return state.cancelled() != asio::cancellation_type::none;
}

// The highest number that a saved message of an earlier run begins with.
std::uint64_t last_saved(const std::string& folder)
{
    std::uint64_t last = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        const auto name = entry.path().filename().string();
        std::uint64_t number = 0;
        std::from_chars(name.data(), name.data() + name.size(), number);
        last = std::max(last, number);
    }
    return last;
}

// A name that tells what a saved message is without opening it.
void save_raw(const std::string& folder, std::uint64_t number, const mqtt::Message& message)
{
    auto name = message.topic.substr(0, 150);
    std::replace(name.begin(), name.end(), '/', '_');
    char digits[24];
    std::snprintf(digits, sizeof digits, "%08llu_", static_cast<unsigned long long>(number));
    const auto path = folder + '/' + digits + name;
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(message.payload.data()),
               static_cast<std::streamsize>(message.payload.size()));
    if (!file.flush()) {
        throw std::system_error(errno, std::generic_category(), path);
    }
}

}  // namespace

bool parse_broker(std::string_view url, SessionSettings& settings)
{
    constexpr std::string_view plain = "mqtt://";
    constexpr std::string_view secure = "mqtts://";
    settings.connection.tls = url.starts_with(secure);
    if (!settings.connection.tls && !url.starts_with(plain)) {
        return false;
    }
    auto rest = url.substr(settings.connection.tls ? secure.size() : plain.size());
    if (rest.ends_with('/')) {
        rest.remove_suffix(1);
    }
    std::string_view port = settings.connection.tls ? "8883" : "1883";
    const auto bracket = rest.starts_with('[') ? rest.find(']') : 0;
    if (bracket == std::string_view::npos) {
        return false;
    }
    if (const auto colon = rest.find(':', bracket); colon != std::string_view::npos) {
        port = rest.substr(colon + 1);
        rest = rest.substr(0, colon);
    }
    if (bracket != 0) {
        rest = rest.substr(1, bracket - 1);
    }
    const auto* const end = port.data() + port.size();
    const auto read = std::from_chars(port.data(), end, settings.connection.port);
    settings.host = rest;
    return !rest.empty() && rest.find('/') == std::string_view::npos && read.ec == std::errc() &&
           read.ptr == end && settings.connection.port != 0;
}

ReceiverSession::ReceiverSession(asio::any_io_executor executor, Worker& store, Worker& mqtt,
                                 Resolver& resolver, SessionSettings settings, Reception& reception)
    : executor_(executor),
      store_(store),
      mqtt_(mqtt),
      resolver_(resolver),
      settings_(std::move(settings)),
      reception_(reception),
      lost_event_(executor),
      round_event_(executor),
      progress_logged_(std::chrono::steady_clock::now())
{
    if (!settings_.raw.empty()) {
        std::filesystem::create_directories(settings_.raw);
        saved_ = last_saved(settings_.raw);
    }
    open_metrics();
}

asio::awaitable<void> ReceiverSession::run()
{
    TaskGroup tasks(executor_);
    tasks.spawn("connection", stay_connected());
    tasks.spawn("rounds", take_rounds());
    tasks.spawn("signals", obey_signals(tasks));
    for (const auto& server : metrics_) {
        tasks.spawn("metrics", server->run());
    }
    co_await tasks.join();
    for (const auto& server : metrics_) {
        co_await server->stop();
    }
    co_await finish();
}

asio::awaitable<void> ReceiverSession::obey_signals(TaskGroup& tasks)
{
    asio::signal_set signals(executor_, SIGINT, SIGTERM, SIGUSR1);
    for (;;) {
        const auto number = co_await signals.async_wait(asio::use_awaitable);
        if (number != SIGUSR1) {
            tasks.cancel();
            co_return;
        }
        auto make = [this] { return table(reception_.report()); };
        const auto text = co_await store_.run(make);
        std::fputs(text.c_str(), stderr);
    }
}

asio::awaitable<void> ReceiverSession::finish()
{
    while (!arrived_.empty()) {
        co_await take_round();
    }
    if (client_) {
        co_await client_->disconnect(1s);
    }
}

asio::awaitable<void> ReceiverSession::stay_connected()
{
    const auto state = co_await asio::this_coro::cancellation_state;
    std::minstd_rand random(std::random_device{}());
    auto pause = 250ms;
    for (;;) {
        const auto begun = std::chrono::steady_clock::now();
        const auto why = co_await hold_connection();
        if (is_cancelled(state)) {
            co_return;
        }
        if (std::chrono::steady_clock::now() - begun > 60s) {
            pause = 250ms;
        }
        if (why != trouble_) {  // once while it stays the same
            log(LogLevel::warning, "broker not connected; trying again",
                {{"host", settings_.host}, {"reason", why}});
            trouble_ = why;
        }
        std::uniform_int_distribution<std::int64_t> jitter(pause.count() / 2, pause.count());
        asio::steady_timer timer(executor_, std::chrono::milliseconds(jitter(random)));
        co_await timer.async_wait(asio::use_awaitable);
        pause = std::min<std::chrono::milliseconds>(pause * 2, longest_pause);
    }
}

// Returns why the connection failed or ended.
asio::awaitable<std::string> ReceiverSession::hold_connection()
{
    lost_.reset();
    if (auto failed = co_await open_connection()) {
        client_.reset();
        co_return std::move(*failed);
    }
    connected_ = true;
    ++connections_;
    trouble_.clear();
    log(LogLevel::info, "broker connected",
        {{"host", settings_.host}, {"port", settings_.connection.port}});
    const auto state = co_await asio::this_coro::cancellation_state;
    while (!lost_) {
        lost_event_.expires_at(std::chrono::steady_clock::time_point::max());
        co_await lost_event_.async_wait(asio::as_tuple(asio::use_awaitable));
        if (is_cancelled(state)) {
            co_return "stopped";  // the connection stays, for the last receipts
        }
    }
    connected_ = false;
    client_.reset();
    co_return *lost_;
}

// Nothing, or why it failed.
asio::awaitable<std::optional<std::string>> ReceiverSession::open_connection()
{
    const auto address = co_await resolver_.resolve(settings_.host, look_up_limit);
    if (!address) {
        co_return settings_.host + ": " + address.error().message();
    }
    auto options = settings_.connection;
    options.address = *address;
    options.server_name = settings_.host == *address ? "" : settings_.host;
    client_ = std::make_unique<mqtt::Client>(executor_, mqtt_, std::move(options));
    client_->on_message([this](mqtt::Message message) { arrived(std::move(message)); });
    client_->on_lost([this](Error, std::string why) {
        lost_ = std::move(why);
        lost_event_.cancel();
    });
    const auto session = co_await client_->connect();
    if (!session) {
        co_return client_->problem();
    }
    newly_connected_ = true;
    for (const auto& topic : subscriptions(settings_.org)) {
        const auto subscribed = co_await client_->subscribe(topic);
        if (!subscribed) {
            co_return topic + ": " + subscribed.error().message();
        }
    }
    co_return std::nullopt;
}

void ReceiverSession::arrived(mqtt::Message message)
{
    if (arrived_bytes_ + message.payload.size() > most_arrived_bytes) {
        if (dropped_++ == 0) {
            log(LogLevel::warning, "messages arrive faster than they can be written; some dropped");
        }
        return;
    }
    arrived_bytes_ += message.payload.size();
    arrived_.push_back(std::move(message));
    if (arrived_bytes_ >= most_round_bytes) {
        round_event_.cancel();
    }
}

asio::awaitable<void> ReceiverSession::take_rounds()
{
    const auto state = co_await asio::this_coro::cancellation_state;
    for (;;) {
        round_event_.expires_after(arrived_bytes_ < most_round_bytes ? longest_round : 0ms);
        co_await round_event_.async_wait(asio::as_tuple(asio::use_awaitable));
        if (is_cancelled(state)) {
            co_return;  // what has arrived is taken by finish()
        }
        if (!arrived_.empty() || is_waiting_ || newly_connected_) {
            co_await take_round();
        }
    }
}

std::vector<mqtt::Message> ReceiverSession::next_messages()
{
    std::vector<mqtt::Message> messages;
    std::size_t bytes = 0;
    while (!arrived_.empty() && bytes < most_round_bytes) {
        bytes += arrived_.front().payload.size();
        messages.push_back(std::move(arrived_.front()));
        arrived_.pop_front();
    }
    arrived_bytes_ -= bytes;
    return messages;
}

asio::awaitable<void> ReceiverSession::take_round()
{
    auto take = [this, messages = next_messages(), dropped = std::exchange(dropped_, 0),
                 anew = std::exchange(newly_connected_, false)] {
        if (!settings_.raw.empty()) {
            for (const auto& message : messages) {
                save_raw(settings_.raw, ++saved_, message);
            }
        }
        if (anew) {
            reception_.connected();
        }
        reception_.count_dropped(dropped);
        Round round;
        round.receipts = reception_.take(messages, std::chrono::steady_clock::now());
        round.tally = reception_.tally();
        round.is_waiting = reception_.is_waiting();
        return round;
    };
    auto round = co_await store_.run(std::move(take));
    is_waiting_ = round.is_waiting;
    for (auto& receipt : round.receipts) {
        if (!connected_) {
            break;  // the box's next birth is answered in full
        }
        auto payload =
            std::make_shared<const Bytes>(receipt.payload.begin(), receipt.payload.end());
        client_->publish(std::move(receipt.topic), std::move(payload), false, [](mqtt::Outcome) {});
    }
    log_progress(round.tally);
}

void ReceiverSession::log_progress(const Tally& tally)
{
    const auto now = std::chrono::steady_clock::now();
    if (now - progress_logged_ < progress_interval || tally.batches == progress_.batches) {
        return;
    }
    log(LogLevel::info, "received",
        {{"readings", tally.readings},
         {"batches", tally.batches},
         {"duplicates", tally.duplicates},
         {"lost", tally.lost},
         {"refused", tally.refused},
         {"seconds",
          std::chrono::duration_cast<std::chrono::seconds>(now - progress_logged_).count()}});
    progress_ = tally;
    progress_logged_ = now;
}

}  // namespace gateway
