// What the box records of its own life, for whoever asks later whether it was worth its price.
#include "gateway/app/box.hpp"

#include <map>
#include <set>
#include <utility>

namespace gateway {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr Duration look_interval = 60s;
constexpr Duration save_interval = 10min;  // a save is a commit of its own

}  // namespace

asio::awaitable<void> Box::recall_value()
{
    auto read = [this] {
        return std::pair(outbox_.state(ValueRecord::key), outbox_.state(MaintenanceBook::key));
    };
    const auto [text, maintenance] = co_await store_worker_.run(read);
    if (text) {
        value_ = ValueRecord(*text);
    }
    recall_maintenance(maintenance);
    value_saved_ = clock_.now();
}

asio::awaitable<void> Box::keep_value()
{
    for (;;) {
        co_await clock_.sleep_until(clock_.now() + look_interval);
        co_await record_value(false);
        if (!first_start_ && clock_.wall().state != ClockState::unset) {
            co_await remember_first_start();  // the clock was not set yet then
            if (first_start_ && uplink_) {
                uplink_->birth_changed();
            }
        }
    }
}

/// What shows in the parts' states; what happens between two looks comes as events.
void Box::look_for_value(WallTime now)
{
    for (const auto& [id, device] : devices_.all()) {
        const auto status = device->supervisor->status();
        if (status.answering) {
            value_.works(id, now);
        }
        const auto& until = status.maintenance_until;
        value_.maintained(id, until && *until > clock_.now(), now);
    }
    if (!uplink_) {
        return;
    }
    const auto link = uplink_->status();
    if (link.connected) {
        value_.works("uplink", now);
    } else if (!link.problem.empty()) {
        value_.failed("uplink", link.problem, now);
    }
    sent_bytes_ = link.sent_bytes;
}

asio::awaitable<void> Box::record_value(bool is_last)
{
    const auto wall = clock_.wall();
    if (wall.state == ClockState::unset) {
        co_return;
    }
    look_for_value(wall.wall);
    std::map<std::string, WatchedIntake::Place> waiting;
    for (const auto& [id, device] : devices_.all()) {
        const auto place = sink_.first_good(device->config().index);
        if (place && !value_.is_receipted(id)) {
            waiting.emplace(id, *place);
        }
    }
    struct Found {
        std::set<std::string> receipted;
        std::uint64_t written_bytes = 0;
    };
    auto look = [this, &waiting] {
        Found found{{}, outbox_.use().written_bytes};
        for (const auto& [id, place] : waiting) {
            if (outbox_.received(outbox_.epoch_number(), place.lane)
                    .contains({place.sequence, place.sequence})) {
                found.receipted.insert(id);
            }
        }
        return found;
    };
    const auto found = co_await store_worker_.run(look);
    for (const auto& id : found.receipted) {
        value_.receipted(id, wall.wall);
    }
    value_.used(sent_bytes_, found.written_bytes, wall.wall);
    if (!is_last && !value_.is_urgent() && clock_.now() < value_saved_ + save_interval) {
        co_return;
    }
    value_.saved();
    value_saved_ = clock_.now();
    auto save = [this, text = value_.text()] {
        outbox_.set_state(ValueRecord::key, text);
        return true;
    };
    co_await store_worker_.run(save);
}

}  // namespace gateway
