// What the intake does beside its commits: the WAL, the heads, salvage, and what is used up.
#include "gateway/store/intake_state.hpp"

#include <boost/asio/use_awaitable.hpp>

namespace gateway {

namespace asio = boost::asio;

namespace {

using namespace std::chrono_literals;

constexpr Duration house_interval = 15s;  // and after each commit
constexpr Duration salvage_interval = 5s;

}  // namespace

/// Moves the WAL when it has grown, and writes the heads each minute: each a job of its own, so
/// that an alarm waits for one of them at most.
asio::awaitable<void> Intake::State::keep_house()
{
    auto checkpoint = [this] {
        side_.outbox().checkpoint();
        return side_.outbox().is_usable();
    };
    const bool usable = co_await store_.run(checkpoint);
    if (!usable && pause_ == 0s) {  // it failed in another's hands
        pause_ = first_pause;
        retry_at_ = clock_.now();
    }
    auto pause = house_interval;
    if (salvage_ != SalvageStep::Next::none) {
        auto salvage = [this] { return side_.outbox().salvage(); };
        const auto step = co_await store_.run(salvage);
        if (durable_listener && !step.stored.empty()) {
            durable_listener(step.stored);
        }
        if (epochs_listener && step.epochs_changed) {
            epochs_listener();
        }
        salvage_ = step.next;
        pause = salvage_ == SalvageStep::Next::at_once ? Duration(0s) : salvage_interval;
    }
    next_house_ = clock_.now() + pause;
    if (clock_.now() < next_heads_) {
        co_return;
    }
    next_heads_ = clock_.now() + heads_interval;
    auto write_heads = [this] {
        side_.outbox().write_heads();
        return true;
    };
    co_await store_.run(write_heads);
    co_await look_at_use();
}

asio::awaitable<void> Intake::State::look_at_use()
{
    auto look = [this] { return side_.outbox().use(); };
    const auto use = co_await store_.run(look);
    follow_wear(use);
    follow_shares(use);
}

/// What was written, and what follows for the intervals: they keep the flash within its rating.
void Intake::State::follow_wear(const StoreUse& use)
{
    counters.written_bytes = use.written_bytes;
    counters.written = use.written;
    const auto before = counters.stretch;
    counters.stretch = stretch_.update(use.written.worn(), clock_.now());
    open_.stretch(counters.stretch);
    if (before <= 1 && counters.stretch > 1) {
        tell({"flash-over-budget", Severity::warning,
              "More is written than the flash is rated for: batches wait longer, at most " +
                  std::to_string(static_cast<int>(Stretch::most)) + " times their interval",
              ""});
    } else if (before > 1 && counters.stretch <= 1) {
        tell({"flash-within-budget", Severity::info,
              "No more is written than the flash is rated for; batches wait as configured", ""});
    }
}

/// What is held, and how far apart readings are kept so that the share lasts.
void Intake::State::follow_shares(const StoreUse& use)
{
    for (const auto lane : all_lanes) {
        auto& thinning = thinning_[index_of(lane)];
        if (settings_.policy[index_of(lane)] != Policy::thin || !use.usable ||
            !thinning.update(use.share_used_percent[index_of(lane)])) {
            continue;
        }
        const auto name = std::string(to_string(lane));
        const auto minutes = std::chrono::floor<std::chrono::minutes>(thinning.distance()).count();
        if (minutes > 0) {
            tell({"readings-thinned", Severity::warning,
                  "The share of lane " + name + " is filling up: each point is kept once in " +
                      std::to_string(minutes) + " min",
                  ""});
        } else {
            tell({"readings-complete", Severity::info,
                  "Lane " + name + " has room again: every reading is kept", ""});
        }
    }
}

}  // namespace gateway
