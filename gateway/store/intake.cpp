#include "gateway/store/intake.hpp"

#include "gateway/core/json.hpp"
#include "gateway/store/open_batches.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <utility>

namespace gateway {

namespace asio = boost::asio;

namespace {

using namespace std::chrono_literals;

constexpr Duration heads_interval = 60s;
constexpr std::size_t most_waiting_events = 100;
constexpr std::uint16_t dictionary_row = 4;

std::string device_id(const std::string& dictionary)
{
    const auto document = parse_json(dictionary);
    const auto* object = document ? document->if_object() : nullptr;
    const auto* device = object == nullptr ? nullptr : object->if_contains("device");
    const auto* fields = device == nullptr ? nullptr : device->if_object();
    return fields == nullptr ? std::string() : std::string(text_of(*fields, "id"));
}

}  // namespace

class Intake::State {
public:
    State(asio::any_io_executor executor, Worker& store, Outbox& outbox, Clock& clock,
          IntakeSettings settings)
        : executor_(std::move(executor)),
          store_(store),
          outbox_(outbox),
          clock_(clock),
          settings_(std::move(settings)),
          open_(clock, settings_.interval, settings_.spool_directory, outbox.epoch(),
                [this](const Event& event) { tell(event); }),
          wake_(executor_, asio::steady_timer::time_point::max()),
          room_(executor_, asio::steady_timer::time_point::max()),
          idle_(executor_, asio::steady_timer::time_point::max()),
          next_heads_(clock.now() + heads_interval)
    {
    }

    bool has_room() const
    {
        return open_.memory_bytes() + committing_bytes_ < settings_.most_open_bytes;
    }
    asio::awaitable<void> wait_for_room();
    void accept(Lane lane, std::span<const Reading> readings);
    void count(Lane lane, const SlotCounts& slots) { add(slots_[index_of(lane)], slots); }
    asio::awaitable<void> announce(std::uint16_t device, DictionaryHash hash, std::string bytes);
    asio::awaitable<void> recover_spool();
    asio::awaitable<void> run();
    asio::awaitable<void> flush();

    void tell(const Event& event);
    void listen(EventListener listener);

    std::function<void(const std::vector<StoredBatch>&)> durable_listener;
    IntakeCounters counters;

private:
    /// One commit runs at a time; the next waits for it here.
    class Turn {
    public:
        explicit Turn(State& state) : state_(state) { state_.busy_ = true; }
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;
        ~Turn()
        {
            state_.busy_ = false;
            state_.committing_bytes_ = 0;
            state_.idle_.cancel();
            state_.room_.cancel();
        }

    private:
        State& state_;
    };

    asio::awaitable<void> wait_until(Instant when);
    asio::awaitable<void> commit(bool everything);
    asio::awaitable<void> keep_house();
    void learn(const std::vector<StoredBatch>& stored);
    bool has_slots() const
    {
        return std::ranges::any_of(slots_, [](const auto& s) { return s.expected > 0; });
    }

    asio::any_io_executor executor_;
    Worker& store_;
    Outbox& outbox_;
    Clock& clock_;
    IntakeSettings settings_;
    OpenBatches open_;
    PerLane<SlotCounts> slots_;
    EventListener event_listener_;
    std::vector<Event> waiting_events_;
    asio::steady_timer wake_, room_, idle_;  // never expire: cancelling one wakes who waits
    Instant next_heads_;
    std::size_t committing_bytes_ = 0;
    bool busy_ = false;
};

void Intake::State::tell(const Event& event)
{
    if (event_listener_) {
        event_listener_(event);
    } else if (waiting_events_.size() < most_waiting_events) {
        waiting_events_.push_back(event);
    }
}

void Intake::State::listen(EventListener listener)
{
    event_listener_ = std::move(listener);
    for (const auto& event : std::exchange(waiting_events_, {})) {
        event_listener_(event);
    }
}

asio::awaitable<void> Intake::State::wait_for_room()
{
    while (!has_room()) {
        co_await room_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
}

void Intake::State::accept(Lane lane, std::span<const Reading> readings)
{
    const auto due_before = open_.due();
    open_.accept(lane, readings);
    counters.accepted += readings.size();
    if (open_.due() < due_before) {
        wake_.cancel();
    }
}

asio::awaitable<void> Intake::State::announce(std::uint16_t device, DictionaryHash hash,
                                              std::string bytes)
{
    if (open_.dictionary(device) == hash) {
        co_return;
    }
    auto put = [this, hash, bytes] {
        outbox_.put_dictionary(hash, bytes);
        return true;
    };
    co_await store_.run(put);
    open_.set_dictionary(device, hash);
    const json::object row{{"type", "dictionary"},
                           {"hash", hash_hex(hash)},
                           {"device", device},
                           {"id", device_id(bytes)}};
    const auto now = std::chrono::floor<std::chrono::milliseconds>(clock_.now());
    const Reading reading{{0, dictionary_row}, now, Value::of_text(json::serialize(row)),
                          Quality::good,       {},  {}};
    accept(Lane::control, std::span(&reading, 1));
}

asio::awaitable<void> Intake::State::recover_spool()
{
    const Moment now{std::chrono::floor<std::chrono::milliseconds>(clock_.now()), clock_.wall()};
    struct Outcome {
        PerLane<std::uint64_t> heads{};
        std::vector<Event> events;
    };
    auto recover = [this, now] {
        Outcome outcome;
        commit_spool(outbox_, settings_.spool_directory, outcome.events);
        outbox_.announce_epochs(now);
        const auto current = outbox_.epochs().back();
        for (const auto lane : all_lanes) {
            outcome.heads[index_of(lane)] = current.lanes[index_of(lane)].head;
        }
        return outcome;
    };
    const auto outcome = co_await store_.run(recover);
    open_.set_heads(outcome.heads);
    for (const auto& event : outcome.events) {
        tell(event);
    }
}

asio::awaitable<void> Intake::State::wait_until(Instant when)
{
    auto group = asio::experimental::make_parallel_group(
        asio::co_spawn(executor_, clock_.sleep_until(when), asio::deferred),
        wake_.async_wait(asio::deferred));
    co_await group.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
}

asio::awaitable<void> Intake::State::run()
{
    for (;;) {
        const auto due = std::min(open_.due(), next_heads_);
        if (due > clock_.now()) {
            co_await wait_until(due);
            continue;
        }
        co_await commit(false);
        co_await keep_house();
    }
}

asio::awaitable<void> Intake::State::flush()
{
    do {
        co_await commit(true);  // again when readings arrived meanwhile
    } while (open_.due() != Instant::max());
}

/// Commits what is due, or everything, with the slots counted since.
asio::awaitable<void> Intake::State::commit(bool everything)
{
    while (busy_) {
        co_await idle_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    // What is taken from here on must reach the job: a cancelled coroutine would not get there.
    const auto cancellation = co_await asio::this_coro::cancellation_state;
    if (cancellation.cancelled() != asio::cancellation_type::none) {
        throw boost::system::system_error(asio::error::operation_aborted);
    }
    auto taken = everything ? open_.take_all() : open_.take_due();
    if (taken.batches.empty() && !has_slots()) {
        co_return;
    }
    const Turn turn(*this);
    committing_bytes_ = taken.memory_bytes();
    struct Outcome {
        std::vector<StoredBatch> stored;
        std::vector<Event> events;
    };
    auto work =
        std::make_shared<Commit>(Commit{std::move(taken.batches), std::exchange(slots_, {})});
    auto job = [this, work] {
        Outcome outcome;
        outcome.stored = outbox_.commit(std::move(*work));
        outcome.events = outbox_.take_events();
        return outcome;
    };
    const auto outcome = co_await store_.run(job);
    for (auto& file : taken.spool) {
        file.remove();
    }
    learn(outcome.stored);
    if (durable_listener && !outcome.stored.empty()) {
        durable_listener(outcome.stored);
    }
    for (const auto& event : outcome.events) {
        tell(event);
    }
}

void Intake::State::learn(const std::vector<StoredBatch>& stored)
{
    ++counters.commits;
    for (const auto& batch : stored) {
        counters.committed += batch.count;
        counters.bytes += batch.bytes->size();
        open_.learn_size(batch.lane, batch.count, batch.bytes->size());
    }
}

/// Moves the WAL when it has grown, and writes the heads each minute: each a job of its own, so
/// that an alarm waits for one of them at most.
asio::awaitable<void> Intake::State::keep_house()
{
    auto checkpoint = [this] { return outbox_.checkpoint(); };
    co_await store_.run(checkpoint);
    if (clock_.now() < next_heads_) {
        co_return;
    }
    next_heads_ = clock_.now() + heads_interval;
    auto write_heads = [this] {
        outbox_.write_heads();
        return true;
    };
    co_await store_.run(write_heads);
}

Intake::Intake(asio::any_io_executor executor, Worker& store, Outbox& outbox, Clock& clock,
               IntakeSettings settings)
    : state_(
          std::make_unique<State>(std::move(executor), store, outbox, clock, std::move(settings)))
{
}
Intake::~Intake() = default;

bool Intake::has_room() const
{
    return state_->has_room();
}
asio::awaitable<void> Intake::wait_for_room()
{
    return state_->wait_for_room();
}
void Intake::accept(Lane lane, std::span<const Reading> readings)
{
    state_->accept(lane, readings);
}
void Intake::count(Lane lane, const SlotCounts& slots)
{
    state_->count(lane, slots);
}
asio::awaitable<void> Intake::announce(std::uint16_t device, DictionaryHash hash, std::string bytes)
{
    return state_->announce(device, hash, std::move(bytes));
}
asio::awaitable<void> Intake::recover_spool()
{
    return state_->recover_spool();
}
asio::awaitable<void> Intake::run()
{
    return state_->run();
}
asio::awaitable<void> Intake::flush()
{
    return state_->flush();
}
void Intake::on_durable(std::function<void(const std::vector<StoredBatch>&)> listener)
{
    state_->durable_listener = std::move(listener);
}
void Intake::on_event(EventListener listener)
{
    state_->listen(std::move(listener));
}
const IntakeCounters& Intake::counters() const
{
    return state_->counters;
}

}  // namespace gateway
