// A forwarder's way through the outbox, oldest first, past what the session sent already.
#include "gateway/uplink/forwarder.hpp"

#include <utility>

namespace gateway {

namespace asio = boost::asio;

namespace {

constexpr std::size_t fetch_bytes = 262'144;

}  // namespace

std::optional<Lane> Forwarder::lane_behind() const
{
    for (const auto lane : all_lanes) {
        if (!cursors_[index_of(lane)].at_end) {
            return lane;
        }
    }
    return std::nullopt;
}

bool Forwarder::history_possible() const
{
    return !finishing_ && repairs_.empty() && may_send(Urgency::history, 0, parts_.topics.history);
}

void Forwarder::look_again(Lane lane)
{
    auto& cursor = cursors_[index_of(lane)];
    cursor.at_end = false;
    ++cursor.changes;
    parts_.wake.notify();
}

void Forwarder::rewind(const LaneKey& key)
{
    const auto known = epochs_.find(key.epoch);
    const auto number = known == epochs_.end() ? 0 : known->second;
    auto& cursor = cursors_[index_of(key.lane)];
    if (number <= cursor.epoch_number) {
        cursor.epoch_number = number;
        cursor.after = 0;
    }
    fetched_.clear();
    look_again(key.lane);
}

void Forwarder::rewind_all()
{
    for (const auto lane : all_lanes) {
        rewind({EpochId(), lane});
    }
}

asio::awaitable<void> Forwarder::fetch(Lane lane)
{
    const auto from = cursors_[index_of(lane)];
    auto read = [&outbox = parts_.outbox, lane, from] {
        std::deque<Waiting> waiting;
        for (auto& row : outbox.read(lane, from.epoch_number, from.after, fetch_bytes)) {
            auto needs = needs_of(row);
            waiting.push_back({std::move(row), std::move(needs)});
        }
        return waiting;
    };
    auto rows = co_await parts_.store.run(read);
    auto& cursor = cursors_[index_of(lane)];
    if (cursor.changes != from.changes) {
        co_return;  // there is more than was read
    }
    cursor.at_end = rows.empty();
    fetched_ = std::move(rows);
}

void Forwarder::send_fetched()
{
    while (!finishing_ && !fetched_.empty() && send_row(fetched_.front())) {
        fetched_.pop_front();
    }
}

/// True when the row is done with.
bool Forwarder::send_row(const Waiting& next)
{
    const auto& row = next.batch;
    auto& cursor = cursors_[index_of(row.lane)];
    const auto live = live_from(row.lane);
    if (live && row.epoch_number == live_epoch_ && row.first >= *live) {
        cursor.at_end = true;
        fetched_.clear();
        return false;
    }
    if (!sent_.contains(key_of(row), row.range(), row.tombstone)) {
        const auto urgency = is_urgent(row.lane) ? Urgency::urgent : Urgency::history;
        if (is_too_large(row)) {
            repairs_.push_back({key_of(row), row.epoch_number, row.range(), true,
                                row.bytes->size() <= settings_.most_wire_bytes});
            return false;
        }
        if (!may_send(urgency, row.bytes->size(), parts_.topics.history) ||
            !dictionaries_.ready(next.needs)) {
            return false;
        }
        send(row, urgency, parts_.topics.history);
    }
    cursor.epoch_number = row.epoch_number;
    cursor.after = row.range().last;
    return true;
}

}  // namespace gateway
