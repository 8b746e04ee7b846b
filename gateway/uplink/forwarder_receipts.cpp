// What comes back to a forwarder: receipts, acknowledgements that release, rows that must change.
#include "gateway/uplink/forwarder.hpp"

#include "gateway/runtime/log.hpp"
#include "gateway/uplink/utc.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace gateway {

namespace asio = boost::asio;

namespace {

bool has_rows(const EpochState& epoch)
{
    return std::any_of(epoch.lanes.begin(), epoch.lanes.end(), [](const LaneCounters& lane) {
        return lane.head > 0 && lane.first_held <= lane.head;
    });
}

RangeSet set_of(const std::vector<Range>& ranges)
{
    RangeSet set;
    for (const auto& range : ranges) {
        set.add(range);
    }
    return set;
}

/// The moment when a person can say that the box works.
void note_first_receipt(Outbox& outbox, WallTime now)
{
    if (!outbox.state("first_receipt")) {
        outbox.set_state("first_receipt", utc_text(now));
    }
}

}  // namespace

void Forwarder::announced(const std::vector<EpochState>& epochs)
{
    epochs_.clear();
    drained_.clear();
    for (const auto& epoch : epochs) {
        epochs_.emplace(epoch.id, epoch.number);
        if (epoch.closed && !has_rows(epoch)) {
            drained_.insert(epoch.id);
        }
    }
}

void Forwarder::received(Receipt receipt)
{
    ++counts_.receipts;
    counts_.last_receipt = parts_.clock.wall().wall;
    counts_.unconfirmed_since.reset();
    for (auto& [epoch, lanes] : receipt.epochs) {
        if (!epochs_.contains(epoch)) {
            ++unknown_epochs_;
            continue;
        }
        if (drained_.contains(epoch)) {
            forgettable_.insert(epoch);
        }
        for (const auto lane : all_lanes) {
            if (auto& ranges = lanes[index_of(lane)]; !ranges.empty()) {
                receipts_.insert_or_assign(LaneKey{epoch, lane}, std::move(ranges));
            }
        }
    }
    hello_ = hello_ || receipt.hello;
    for (const auto hash : receipt.need) {
        dictionaries_.publish_again(hash);
    }
    parts_.wake.notify();
}

/// Tombstones that the broker has taken.
asio::awaitable<void> Forwarder::note_losses_told()
{
    auto note = [&outbox = parts_.outbox, told = std::exchange(losses_told_, {})] {
        for (const auto& [key, range] : told) {
            outbox.note_told(key.epoch, key.lane, range);
        }
        return true;
    };
    co_await parts_.store.run(note);
}

/// One slice. A `hello` counts once everything that came with it or before is applied.
asio::awaitable<void> Forwarder::apply_receipt()
{
    const bool by_puback = receipts_.empty() && !acknowledged_.empty();
    if (receipts_.empty() && !by_puback) {
        hello_ = false;
        sent_.withdraw_all();
        rewind_all();
        co_return;
    }
    const auto key = by_puback ? acknowledged_.begin()->first : receipts_.begin()->first;
    const auto ranges =
        by_puback ? acknowledged_.begin()->second.ranges() : receipts_.begin()->second;
    const auto now = parts_.clock.wall().wall;
    auto apply = [&outbox = parts_.outbox, &key, &ranges, by_puback, now] {
        const auto outcome = outbox.apply_receipt(key.epoch, key.lane, ranges);
        if (!by_puback && outcome.verdict == ReceiptVerdict::applied) {
            note_first_receipt(outbox, now);
        }
        return outcome;
    };
    const auto outcome = co_await parts_.store.run(apply);
    if (outcome.more) {
        co_return;
    }
    // What arrived meanwhile is kept for the next slice.
    if (by_puback) {
        auto& open = acknowledged_[key];
        for (const auto& range : ranges) {
            open.remove(range);
        }
        if (open.empty()) {
            acknowledged_.erase(key);
        }
    } else if (const auto open = receipts_.find(key);
               open != receipts_.end() && open->second == ranges) {
        receipts_.erase(open);
    }
    conclude_receipt(key, ranges, outcome.verdict);
}

void Forwarder::conclude_receipt(const LaneKey& key, const std::vector<Range>& ranges,
                                 ReceiptVerdict verdict)
{
    switch (verdict) {
        case ReceiptVerdict::above_head:
            if (told_.insert("above " + key.epoch.hex()).second) {
                parts_.on_event({"receipt-above-head", Severity::error,
                                 "a receipt names readings this box never had; ignored", ""});
            }
            return;
        case ReceiptVerdict::unknown_epoch:
            ++unknown_epochs_;
            return;
        case ReceiptVerdict::storage_lied:
            if (told_.insert("lied " + key.epoch.hex()).second) {
                parts_.on_event({"storage-lied", Severity::error,
                                 "the platform has readings of epoch " + key.epoch.hex() +
                                     " that this storage lost after it had confirmed them",
                                 ""});
            }
            break;
        case ReceiptVerdict::applied:
            break;
    }
    if (sent_.receipted(key, set_of(ranges))) {
        rewind(key);
    }
}

bool Forwarder::replay(const LaneKey& key, const std::vector<Range>& ranges)
{
    if (!epochs_.contains(key.epoch)) {
        return false;
    }
    for (const auto& range : ranges) {
        sent_.withdraw(key, range);
    }
    rewind(key);
    return true;
}

ForwarderCounts Forwarder::counts() const
{
    auto counts = counts_;
    counts.in_flight = window_.in_flight();
    counts.unreceipted = sent_.unreceipted_batches();
    counts.live_queue = live_.size() + urgent_.size();
    return counts;
}

asio::awaitable<void> Forwarder::clear_dictionaries(std::set<DictionaryHash> current)
{
    return dictionaries_.clear_unused(std::move(current));
}

/// An epoch that the platform knows as closed and that has no row left needs no mention any more.
asio::awaitable<void> Forwarder::forget_epochs()
{
    const auto ids = std::exchange(forgettable_, {});
    auto forget = [&outbox = parts_.outbox, &ids] {
        std::set<EpochId> forgotten;
        for (const auto& epoch : outbox.epochs()) {
            if (ids.contains(epoch.id) && epoch.closed && !has_rows(epoch)) {
                outbox.forget(epoch.id);
                forgotten.insert(epoch.id);
            }
        }
        return forgotten;
    };
    const auto gone = co_await parts_.store.run(forget);
    for (const auto& id : gone) {
        drained_.erase(id);
        epochs_.erase(id);
    }
}

/// A row that the broker will not take as it is: smaller ones, or a tombstone.
asio::awaitable<void> Forwarder::repair()
{
    const auto row = repairs_.front();
    const auto good = std::min(settings_.most_wire_bytes, settings_.good_wire_bytes);
    enum class Outcome { split, whole, refused };
    auto change = [&outbox = parts_.outbox, &row, good] {
        const auto number = row.epoch_number;
        if (row.split && outbox.split(number, row.key.lane, row.range.first, good).size() > 1) {
            return Outcome::split;
        }
        if (row.may_stay) {
            return Outcome::whole;
        }
        outbox.declare_lost(number, row.key.lane, row.range.first, LossReason::rejected);
        return Outcome::refused;
    };
    const auto outcome = co_await parts_.store.run(change);
    repairs_.pop_front();
    if (outcome == Outcome::whole) {
        whole_.emplace(row.key, row.range.first);
    } else {
        log(LogLevel::warning,
            outcome == Outcome::split ? "batch split for the broker" : "batch refused for good",
            {{"lane", to_string(row.key.lane)},
             {"first", row.range.first},
             {"last", row.range.last}});
    }
    rewind(row.key);
}

}  // namespace gateway
