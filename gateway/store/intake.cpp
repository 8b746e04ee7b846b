#include "gateway/store/intake.hpp"

#include "gateway/core/json.hpp"
#include "gateway/store/intake_state.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace gateway {

namespace asio = boost::asio;

namespace {

using namespace std::chrono_literals;

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

Intake::State::State(asio::any_io_executor executor, Worker& store, Outbox& outbox, Clock& clock,
                     IntakeSettings settings)
    : executor_(std::move(executor)),
      store_(store),
      side_(outbox, settings.spool_directory),
      clock_(clock),
      settings_(std::move(settings)),
      open_(clock, settings_.interval, settings_.spool_directory, outbox.epoch(),
            [this](const Event& event) { tell(event); }),
      stretch_(settings_.flash_bytes_per_day),
      wake_(executor_, asio::steady_timer::time_point::max()),
      room_(executor_, asio::steady_timer::time_point::max()),
      idle_(executor_, asio::steady_timer::time_point::max()),
      next_heads_(clock.now() + heads_interval),
      next_house_(clock.now())
{
}

Moment Intake::State::moment() const
{
    return {std::chrono::floor<std::chrono::milliseconds>(clock_.now()), clock_.wall()};
}

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
        side_.put_dictionary(hash, bytes);
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

asio::awaitable<void> Intake::State::wait_until(Instant when)
{
    auto group = asio::experimental::make_parallel_group(
        asio::co_spawn(executor_, clock_.sleep_until(when), asio::deferred),
        wake_.async_wait(asio::deferred));
    co_await group.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
}

Instant Intake::State::due() const
{
    const auto batches = pause_ > 0s ? std::max(open_.due(), retry_at_) : open_.due();
    const auto retry = pause_ > 0s ? retry_at_ : Instant::max();
    return std::min({batches, retry, next_house_});
}

asio::awaitable<void> Intake::State::run()
{
    co_await look_at_use();
    for (;;) {
        if (due() > clock_.now()) {
            co_await wait_until(due());
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
Duration Intake::least_distance(Lane lane) const
{
    return state_->least_distance(lane);
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
void Intake::on_epochs_changed(std::function<void()> listener)
{
    state_->epochs_listener = std::move(listener);
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
