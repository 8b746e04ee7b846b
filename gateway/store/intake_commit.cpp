// How the intake's batches become durable, and what happens while no store takes them.
#include "gateway/core/defect.hpp"
#include "gateway/store/intake_state.hpp"

#include <zstd.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <new>
#include <utility>

namespace gateway {

namespace asio = boost::asio;

namespace {

using namespace std::chrono_literals;

constexpr Duration longest_pause_full = 5s;
constexpr Duration longest_pause = 30s;

/// A dictionary as it is kept for a store that has not got it: nine tenths of it are names that
/// repeat. Here as in unpacked() only memory can be wanting.
Bytes packed(const std::string& text)
{
    Bytes packed(ZSTD_compressBound(text.size()));
    const auto size = ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), 1);
    if (ZSTD_isError(size) != 0) {
        throw std::bad_alloc();
    }
    packed.resize(size);
    packed.shrink_to_fit();
    return packed;
}

std::string unpacked(const Bytes& packed)
{
    std::string text(ZSTD_getFrameContentSize(packed.data(), packed.size()), '\0');
    if (ZSTD_decompress(text.data(), text.size(), packed.data(), packed.size()) != text.size()) {
        throw std::bad_alloc();
    }
    return text;
}

}  // namespace

// ---- on the worker

StoreSide::StoreSide(Outbox& outbox, std::string spool_directory)
    : outbox_(outbox), spool_directory_(std::move(spool_directory))
{
}

/// Tells a store that was just opened what it must know first.
void StoreSide::prepare(const Moment& now, CommitOutcome& outcome)
{
    if (!outbox_.open()) {
        throw StoreError::unavailable("no store can be opened");
    }
    if (announced_ != outbox_.epoch()) {
        commit_spool(outbox_, spooled_, outcome.events);
        spooled_.clear();
        outcome.announced = outbox_.announce_epochs(now);
        announced_ = outbox_.epoch();
        for (const auto& [hash, bytes] : dictionaries_) {
            untold_.insert(hash);
        }
        outcome.opened = true;
        outcome.epoch = outbox_.epoch();
        const auto current = outbox_.epochs().back();
        for (const auto lane : all_lanes) {
            outcome.heads[index_of(lane)] = current.lanes[index_of(lane)].head;
        }
    }
    while (!untold_.empty()) {
        const auto hash = *untold_.begin();
        outbox_.put_dictionary(hash, unpacked(dictionaries_.at(hash)));
        untold_.erase(hash);
    }
}

CommitOutcome StoreSide::commit(const Commit& commit, const Moment& now)
{
    CommitOutcome outcome;
    for (int attempt = 0; attempt < 2 && !outcome.committed; ++attempt) {
        try {
            prepare(now, outcome);
            outcome.stored = outbox_.commit(commit);
            outcome.committed = true;
        } catch (const StoreError& error) {
            if (!error.ends_use() && !error.is_no_space()) {
                throw;
            }
            if (error.is_no_space()) {
                outcome.full = true;
                break;
            }
        }
    }
    for (auto& event : outbox_.take_events()) {
        outcome.events.push_back(std::move(event));
    }
    return outcome;
}

void StoreSide::read_spool()
{
    if (!spool_directory_.empty()) {
        spooled_ = gateway::read_spool(spool_directory_);
    }
}

void StoreSide::put_dictionary(DictionaryHash hash, const std::string& bytes)
{
    dictionaries_[hash] = packed(bytes);
    untold_.insert(hash);
    if (announced_ != outbox_.epoch() || !outbox_.is_usable()) {
        return;  // prepare() will
    }
    try {
        outbox_.put_dictionary(hash, bytes);
        untold_.erase(hash);
    } catch (const StoreError& error) {
        if (!error.ends_use() && !error.is_no_space()) {
            throw;
        }
    }
}

// ---- on the loop

asio::awaitable<void> Intake::State::recover_spool()
{
    auto recover = [this, now = moment()] {
        side_.read_spool();
        return side_.commit({}, now);
    };
    const auto outcome = co_await store_.run(recover);
    if (outcome.committed) {
        open_.set_epoch(outcome.epoch, outcome.heads);
    } else {
        fall_back({}, outcome.full);
    }
    for (const auto& event : outcome.events) {
        tell(event);
    }
}

bool Intake::State::has_slots() const
{
    return std::ranges::any_of(slots_, [](const auto& s) { return s.expected > 0; });
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
    held_.add(everything ? open_.take_all() : open_.take_due());
    const bool retry = pause_ > 0s && (everything || clock_.now() >= retry_at_);
    if (pause_ > 0s && !retry) {
        given_up_ += held_.shed(settings_.most_open_bytes / 2);
        co_return;
    }
    // Slots alone are not worth a page of flash each time: they go with readings, or once a minute.
    const bool slots_due = has_slots() && (everything || clock_.now() >= next_heads_);
    if (held_.empty() && !slots_due && !retry) {
        co_return;
    }
    const Turn turn(*this);
    while (co_await commit_slice() && !held_.empty()) {
    }
}

/// One transaction; true when it is durable.
asio::awaitable<bool> Intake::State::commit_slice()
{
    auto slice = held_.take();
    for (const auto& batch : slice.commit.batches) {
        committing_bytes_ += batch.readings.memory_bytes();
    }
    slice.commit.slots = std::exchange(slots_, {});
    auto work = std::make_shared<Commit>(std::move(slice.commit));
    auto job = [this, work, now = moment()] { return side_.commit(*work, now); };
    const auto outcome = co_await store_.run(job);
    slice.commit = std::move(*work);
    committing_bytes_ = 0;
    conclude(std::move(slice), outcome);
    co_return outcome.committed;
}

void Intake::State::conclude(HeldBatches::Slice slice, const CommitOutcome& outcome)
{
    if (outcome.opened) {
        salvage_ = SalvageStep::Next::later;  // one may have been set aside
        open_.set_epoch(outcome.epoch, outcome.heads);
    }
    if (outcome.committed) {
        for (auto& file : slice.spool) {
            if (file && !planted(Defect::sent_again_under_new_keys)) {
                file->remove();
            }
        }
        learn(outcome.stored);
        if (std::exchange(pause_, 0s) > 0s) {
            tell({"store-works", Severity::info,
                  "Readings are stored again; " + std::to_string(given_up_) +
                      " that could not be kept are declared lost",
                  ""});
            given_up_ = 0;
        }
    } else {
        fall_back(std::move(slice), outcome.full);
    }
    for (const auto* rows : {&outcome.announced, &outcome.stored}) {
        if (durable_listener && !rows->empty()) {
            durable_listener(*rows);
        }
    }
    if (outcome.opened && epochs_listener) {
        epochs_listener();
    }
    for (const auto& event : outcome.events) {
        tell(event);
    }
}

/// The readings stay in memory, as many as may, until the store is tried again.
void Intake::State::fall_back(HeldBatches::Slice slice, bool full)
{
    for (const auto lane : all_lanes) {
        auto& since = slots_[index_of(lane)];
        const auto later = std::exchange(since, slice.commit.slots[index_of(lane)]);
        add(since, later);
    }
    held_.put_back(std::move(slice));
    given_up_ += held_.shed(settings_.most_open_bytes / 2);
    if (pause_ == 0s && full) {
        tell({"disk-full", Severity::error,
              "The store takes no more: the disk is full; readings are kept in memory", ""});
    }
    pause_ = pause_ == 0s ? first_pause
                          : std::min(pause_ * 2, full ? longest_pause_full : longest_pause);
    retry_at_ = clock_.now() + pause_;
}

void Intake::State::learn(const std::vector<StoredBatch>& stored)
{
    ++counters.commits;
    for (const auto& batch : stored) {
        counters.committed += batch.count;
        counters.bytes += batch.bytes->size();
        if (!batch.tombstone) {
            open_.learn_size(batch.lane, batch.count, batch.bytes->size());
        }
    }
}

}  // namespace gateway
