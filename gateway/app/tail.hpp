#pragma once

#include "gateway/acquire/sink.hpp"
#include "gateway/core/reading.hpp"
#include "gateway/store/intake.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <list>
#include <map>
#include <optional>
#include <vector>

namespace gateway {

/// Gives accepted readings to the store and shows them to whoever watches (`tail`). Watching never
/// holds acquisition up: a watcher that does not keep up misses readings. Runs on the loop.
class WatchedIntake final : public Sink {
public:
    /// One watcher, from its construction on.
    class Watch {
    public:
        explicit Watch(WatchedIntake& owner, boost::asio::any_io_executor executor);
        ~Watch();
        Watch(const Watch&) = delete;
        Watch& operator=(const Watch&) = delete;

        /// What was accepted since the last call; waits until there is something.
        boost::asio::awaitable<std::vector<Reading>> next();

    private:
        friend class WatchedIntake;
        WatchedIntake& owner_;
        std::deque<Reading> seen_;
        boost::asio::steady_timer more_;
    };

    explicit WatchedIntake(Intake& intake) : intake_(intake) {}

    /// Where a reading will be found: accepted readings of a lane get their sequences in order.
    struct Place {
        Lane lane = Lane::telemetry;
        std::uint64_t sequence = 0;
    };
    /// The first good reading of the device in this epoch.
    std::optional<Place> first_good(std::uint16_t device) const;

    bool has_room() const override { return intake_.has_room(); }
    boost::asio::awaitable<void> wait_for_room() override { return intake_.wait_for_room(); }
    void accept(Lane lane, std::span<const Reading> readings) override;
    void count(Lane lane, const SlotCounts& slots) override { intake_.count(lane, slots); }
    Duration least_distance(Lane lane) const override { return intake_.least_distance(lane); }

private:
    void note_first_good(Lane lane, std::span<const Reading> readings);

    Intake& intake_;
    std::list<Watch*> watches_;
    PerLane<std::uint64_t> accepted_{};
    std::map<std::uint16_t, Place> first_good_;
};

}  // namespace gateway
