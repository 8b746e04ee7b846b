#include "gateway/app/tail.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace gateway {

namespace asio = boost::asio;

namespace {

constexpr std::size_t most_waiting = 2'000;

}  // namespace

WatchedIntake::Watch::Watch(WatchedIntake& owner, asio::any_io_executor executor)
    : owner_(owner), more_(executor)
{
    more_.expires_at(asio::steady_timer::time_point::max());
    owner_.watches_.push_back(this);
}

WatchedIntake::Watch::~Watch()
{
    owner_.watches_.remove(this);
}

asio::awaitable<std::vector<Reading>> WatchedIntake::Watch::next()
{
    while (seen_.empty()) {
        co_await more_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    std::vector<Reading> readings(seen_.begin(), seen_.end());
    seen_.clear();
    co_return readings;
}

void WatchedIntake::accept(Lane lane, std::span<const Reading> readings)
{
    intake_.accept(lane, readings);
    note_first_good(lane, readings);
    accepted_[index_of(lane)] += readings.size();
    for (auto* watch : watches_) {
        const auto room = most_waiting - watch->seen_.size();
        const auto shown = readings.first(std::min(room, readings.size()));
        watch->seen_.insert(watch->seen_.end(), shown.begin(), shown.end());
        watch->more_.cancel();
    }
}

// All readings of one call are of one device, so a known one costs one look.
void WatchedIntake::note_first_good(Lane lane, std::span<const Reading> readings)
{
    if (readings.empty() || lane == Lane::alarm || lane == Lane::control ||
        first_good_.contains(readings.front().alias.device)) {
        return;
    }
    auto sequence = accepted_[index_of(lane)];
    for (const auto& reading : readings) {
        ++sequence;
        if (reading.quality == Quality::good && reading.alias.row < Alias::first_alarm) {
            first_good_[reading.alias.device] = {lane, sequence};
            return;
        }
    }
}

std::optional<WatchedIntake::Place> WatchedIntake::first_good(std::uint16_t device) const
{
    const auto found = first_good_.find(device);
    return found == first_good_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace gateway
