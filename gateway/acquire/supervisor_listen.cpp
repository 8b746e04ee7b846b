// A device that talks by itself: what its messages become.
#include "gateway/acquire/identify.hpp"
#include "gateway/acquire/supervisor.hpp"
#include "gateway/runtime/deadline.hpp"

#include <algorithm>
#include <utility>

namespace gateway {

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

constexpr Duration pause_after_a_failure = 1s;
constexpr auto most_ahead = 5min;  // of a device's clock

}  // namespace

asio::awaitable<void> Supervisor::listen(Duration silence)
{
    listening_ = true;
    for (;;) {
        if (!sink_.has_room()) {
            co_await sink_.wait_for_room();  // what the device says meanwhile waits at the driver
        }
        co_await hear(silence);
        hand_over();
    }
}

asio::awaitable<void> Supervisor::hear(Duration silence)
{
    const auto rows = due_rows_.with_companions(all_rows_);
    auto samples = co_await with_deadline(driver_->read(rows), silence);
    if (!samples) {
        slots_.missed(main_lane_, cause_of(samples.error()));
        co_await went_down(samples.error());
        if (samples.error() != Fault::timed_out) {
            hand_over();
            co_await clock_.sleep_until(
                std::max(clock_.now() + pause_after_a_failure, breaker_.probe_at()));
        }
        co_return;
    }
    came_back();
    co_await learn_identity();
    keep_late(*samples);
    std::vector<std::uint16_t> spoken_of;
    std::vector<std::uint16_t> shown;
    for (const auto& sample : *samples) {
        spoken_of.push_back(sample.row);
        if (!device_.profile->points[sample.row].hidden) {
            shown.push_back(sample.row);
        }
    }
    asked_ = spoken_of;
    store(*samples, shown);
    asked_ = {};
}

asio::awaitable<void> Supervisor::learn_identity()
{
    auto answers = co_await driver_->identify();
    const bool enough = answers && !device_.profile->identify.empty();
    if (announced_ && (!enough || *answers == heard_identity_)) {
        co_return;
    }
    Identified identified;
    if (enough) {
        identified = identify(*device_.profile, *answers);
        heard_identity_ = std::move(*answers);
    }
    co_await announce(std::move(identified));
}

/// What is older, by the device's own time, than what it has said of the same point before is a
/// reading like any other, but never the latest one.
void Supervisor::keep_late(Samples& samples)
{
    const auto time = stamp();
    const auto wall = clock_.wall();
    const auto is_late = [this, &wall](const Sample& sample) {
        const auto& latest = normaliser_.latest()[sample.row].device_time;
        // A time that has not come yet was a mistake of the device: it holds nothing back.
        const bool to_come =
            latest && wall.state != ClockState::unset && *latest > wall.wall + most_ahead;
        return sample.device_time && latest && !to_come && *sample.device_time < *latest;
    };
    for (auto& sample : samples) {
        if (is_late(sample)) {
            const auto lane = lane_of(sample.row);
            outgoing_[index_of(lane)].push_back(
                normaliser_.judge_late(sample, time, whole_cause()));
            slots_.stored(lane, outgoing_[index_of(lane)].back().quality == Quality::good);
        }
    }
    std::erase_if(samples, is_late);
}

/// For a read by hand: what the device says until it has spoken of every row, or for so long.
asio::awaitable<Result<Samples>> Supervisor::overhear(PointSet rows, Duration limit)
{
    Samples heard;
    const auto until = clock_.now() + limit;
    while (heard.size() < rows.size()) {
        auto message = co_await with_deadline(driver_->read(rows), until - clock_.now());
        if (!message && heard.empty()) {
            co_return message.error();
        }
        if (!message) {
            break;
        }
        for (auto& sample : *message) {
            std::erase_if(heard, [&](const Sample& known) { return known.row == sample.row; });
            heard.push_back(std::move(sample));
        }
    }
    co_await learn_identity();
    std::ranges::sort(heard, {}, &Sample::row);
    co_return heard;
}

Result<std::vector<Reading>> Supervisor::latest_heard() const
{
    std::vector<Reading> heard;
    const auto& latest = normaliser_.latest();
    std::copy_if(latest.begin(), latest.end(), std::back_inserter(heard),
                 [](const Reading& reading) { return reading.time != Normaliser::never; });
    if (heard.empty()) {
        return Fault::timed_out;
    }
    return heard;
}

}  // namespace gateway
