// One read of a device: woken, identified, asked how many rows it has, then for what is due.
#include "gateway/acquire/supervisor.hpp"
#include "gateway/runtime/deadline.hpp"

#include <algorithm>

namespace gateway {

namespace asio = boost::asio;

asio::awaitable<Result<Samples>> Supervisor::identify_and_read(PointSet due)
{
    asked_ = {};
    const bool wakes = device_.profile->wake.has_value();
    if (wakes) {
        co_await wake(true);
    }
    if (is_identity_due()) {
        const auto asked = co_await ask_identity();
        if (!asked) {
            co_return asked.error();
        }
    }
    if (wakes) {
        co_await wake(false);
    }
    if (!due_rows_.unknown_counts().empty()) {
        const auto counted = co_await learn_counts();
        if (!counted) {
            co_return counted.error();
        }
    }
    asked_ = due_rows_.with_companions(due_rows_.existing(due));
    auto samples = co_await read_rows(asked_);
    awake_ = samples.has_value();
    last_read_ = clock_.now();
    co_return samples;
}

asio::awaitable<Result<Samples>> Supervisor::read_rows(PointSet rows)
{
    if (rows.empty()) {
        co_return Samples();
    }
    if (const auto silence = driver_->may_be_silent()) {
        co_return co_await overhear(rows, std::min(*silence, settings_.longest_read));
    }
    co_return co_await with_deadline(driver_->read(rows),
                                     std::max(schedule_.shortest(), settings_.longest_read));
}

asio::awaitable<void> Supervisor::wake(bool by_read)
{
    const auto& wake = *device_.profile->wake;
    if (by_read == wake.point.empty()) {
        co_return;
    }
    const bool slept = wake.idle && clock_.now() - last_read_ >= *wake.idle;
    if (awake_ && !slept) {
        co_return;
    }
    if (const auto row = row_of(*device_.profile, wake.point)) {
        const PointSet one(&*row, 1);
        // Whatever comes of it: it wakes the device.
        co_await with_deadline(driver_->read(one), settings_.longest_read);
    }
    if (wake.settle > Duration::zero()) {
        co_await clock_.sleep_until(clock_.now() + wake.settle);
    }
}

asio::awaitable<Status> Supervisor::learn_counts()
{
    const auto rows = due_rows_.unknown_counts();
    auto samples = co_await read_rows(rows);
    if (!samples) {
        co_return samples.error();
    }
    normaliser_.judge(*samples, rows, stamp(), Cause::none);
    learn_counts_again();
    co_return Status();
}

void Supervisor::learn_counts_again()
{
    bool changed = false;
    for (const auto row : due_rows_.count_rows()) {
        const auto& reading = normaliser_.latest()[row];
        const bool told = normaliser_.has_judged(row) && reading.quality == Quality::good &&
                          reading.value.is_integer();
        const bool was_unknown = !due_rows_.unknown_counts().empty();
        if (due_rows_.learn(row, told ? reading.value.as_int64() : -1)) {
            emit("rows-changed", Severity::info,
                 device_.profile->points[row].title + " is now " +
                     std::to_string(reading.value.as_int64()) + ".");
            changed = true;
        }
        changed = changed || (told && was_unknown);
    }
    if (changed) {
        const auto exists = [this](std::uint16_t row) { return due_rows_.exists(row); };
        schedule_.count_slots_of(device_.profile->points, exists);
    }
}

}  // namespace gateway
