#include "gateway/acquire/supervisor.hpp"

#include <algorithm>
#include <utility>

namespace gateway {

namespace asio = boost::asio;
using std::chrono::milliseconds;

namespace {

Lane most_used_lane(const std::vector<Point>& points)
{
    PerLane<std::size_t> uses{};
    for (const auto& point : points) {
        uses[index_of(point.lane)] += point.hidden ? 0U : 1U;
    }
    auto most = Lane::telemetry;
    for (const auto lane : all_lanes) {
        most = uses[index_of(lane)] > uses[index_of(most)] ? lane : most;
    }
    return most;
}

/// The port itself is not there, or went away under us.
bool is_missing(const Error& error)
{
    using namespace boost::system::errc;
    return error == no_such_file_or_directory || error == no_such_device ||
           error == no_such_device_or_address || error == io_error;
}

}  // namespace

Supervisor::Supervisor(DeviceConfig device, std::unique_ptr<Driver> driver, Clock& clock,
                       Sink& sink, SupervisorSettings settings)
    : device_(std::move(device)),
      driver_(std::move(driver)),
      clock_(clock),
      sink_(sink),
      settings_(std::move(settings)),
      schedule_(device_.profile->points, device_.site.id, settings_.phases),
      normaliser_(device_.index, settings_.rules->rules_of(device_, {})),
      alarms_(device_),
      due_rows_(*device_.profile),
      breaker_(driver_->may_be_silent() ? Duration(std::chrono::seconds(1)) : schedule_.shortest(),
               settings_.slowest_probe, stable_hash(device_.site.id)),
      main_lane_(most_used_lane(device_.profile->points)),
      stored_(device_.profile->points.size()),
      is_due_(device_.profile->points.size())
{
    all_rows_.reserve(stored_.size());
    for (std::size_t row = 0; row < stored_.size(); ++row) {
        if (!device_.profile->points[row].hidden) {
            all_rows_.push_back(static_cast<std::uint16_t>(row));
        }
    }
}

asio::awaitable<void> Supervisor::run()
{
    if (!device_.site.enabled) {
        co_await clock_.sleep_until(Instant::max());
    }
    if (const auto silence = driver_->may_be_silent()) {
        co_await listen(*silence);
    }
    for (;;) {
        schedule_.follow(clock_.now(), clock_.wall());
        co_await clock_.sleep_until(std::max(schedule_.next(), breaker_.probe_at()));
        note_lateness();
        const auto& due = schedule_.take(clock_.now());
        skip(due, breaker_.is_open() ? last_cause_ : Cause::late);
        if (sink_.has_room()) {
            co_await poll(due.rows);
        } else {
            miss(due.rows, Cause::store_slow);
        }
        hand_over();
    }
}

/// Of polls that the grid asked for: the first one is at once, and probes have a grid of their own.
void Supervisor::note_lateness()
{
    if (settings_.lateness != nullptr && !breaker_.is_open() &&
        schedule_.next() != Instant::min()) {
        const std::chrono::duration<double> late = clock_.now() - schedule_.next();
        settings_.lateness->add(late.count());
    }
}

asio::awaitable<void> Supervisor::poll(PointSet due)
{
    std::optional<Bus::Turn> probe;
    if (breaker_.is_open() && settings_.probes) {
        auto turn = co_await settings_.probes->take();
        probe.emplace(std::move(turn));
    }
    const auto turn = co_await turns_.take();
    auto samples = co_await identify_and_read(due);
    if (samples) {
        came_back();
        store(*samples, due);
    } else {
        miss(due_rows_.existing(due), cause_of(samples.error()));
        co_await went_down(samples.error());
    }
}

asio::awaitable<Result<std::vector<Reading>>> Supervisor::read_now()
{
    if (listening_) {
        co_return latest_heard();
    }
    const auto turn = co_await turns_.take();
    auto samples = co_await identify_and_read(all_rows_);
    if (!samples) {
        co_return samples.error();
    }
    std::vector<Reading> readings;
    for (const auto row : normaliser_.judge(*samples, asked_, stamp(), whole_cause())) {
        if (!device_.profile->points[row].hidden) {
            readings.push_back(normaliser_.latest()[row]);
        }
    }
    std::ranges::sort(readings, {}, &Reading::alias);
    co_return readings;
}

asio::awaitable<void> Supervisor::went_down(Error error)
{
    const auto cause = cause_of(error);
    if (!announced_) {
        Identified claimed;
        co_await announce(std::move(claimed));
    }
    const auto now = stamp();
    const bool first = !down_told_;
    if (first || cause != last_cause_ || now - *down_told_ >= longest_silence) {
        tell_device(false, cause);
        down_told_ = now;
    }
    if (first) {
        down_since_ = now;
        emit("device-down", Severity::warning, "No answer: " + to_string(cause) + ".");
    }
    last_cause_ = cause;
    answering_ = false;
    ++failed_;
    breaker_.failed(clock_.now(),
                    is_missing(error) ? settings_.slowest_reopen : settings_.slowest_probe);
    asks_identity_ = true;  // it may come back as another one
    awake_ = false;
}

void Supervisor::came_back()
{
    breaker_.succeeded();
    answering_ = true;
    ++answered_;
    if (down_told_) {
        tell_device(true, Cause::none);
        emit("device-up", Severity::info, "The device answers again.");
        down_told_.reset();
    }
}

void Supervisor::tell_device(bool answering, Cause cause)
{
    outgoing_[index_of(main_lane_)].push_back(
        {.alias = {.device = device_.index, .row = Alias::whole_device},
         .time = stamp(),
         .value = Value::integer(answering ? 1 : 0),
         .quality = answering ? Quality::good : Quality::comm_error,
         .cause = cause});
}

void Supervisor::store(Samples& samples, PointSet due)
{
    const auto time = stamp();
    const auto clock = clock_.wall();
    const auto offset =
        clock.state == ClockState::unset
            ? std::nullopt
            : std::optional(clock.wall.time_since_epoch() - time.time_since_epoch());
    const auto set_due = [this, due](bool is) {
        for (const auto row : due) {
            is_due_[row] = is;
        }
    };
    set_due(true);
    bool first = true;
    do {  // once more for every later sample of a row
        const auto rows = normaliser_.judge(samples, asked_, time, whole_cause(), offset);
        store_readings(rows, time, offset);
        for (const auto row : due) {
            if (!first || (rows.size() == due.size() && due.size() == asked_.size())) {
                break;
            }
            if (due_rows_.is_unknown(row)) {
                miss({&row, 1}, Cause::dependency);
            } else if (due_rows_.exists(row) && !normaliser_.has_judged(row)) {
                miss({&row, 1}, Cause::unexpected_reply);  // the driver had no sample for it
            }
        }
        first = false;
        alarms_.follow(time, normaliser_.latest(), outgoing_[index_of(Lane::alarm)]);
    } while (!samples.empty());
    set_due(false);
    learn_counts_again();
}

void Supervisor::store_readings(std::span<const std::uint16_t> rows, BootTime time,
                                std::optional<milliseconds> wall_offset)
{
    for (const auto row : normaliser_.counter_resets()) {
        stored_[row].any = false;  // so that the first reading after it is stored
        emit("counter-reset", Severity::warning,
             "The counter " + device_.profile->points[row].id + " was set back.");
    }
    auto& main = outgoing_[index_of(main_lane_)];
    main.reserve(main.size() + rows.size());  // growing step by step costs where all are stored
    for (const auto row : rows) {
        if (!is_due_[row]) {
            continue;  // read for the sake of others
        }
        const auto& reading = normaliser_.latest()[row];
        const auto lane = lane_of(row);
        const bool good = reading.quality == Quality::good;
        if (good) {
            last_good_ = time;
        }
        const auto& rule = normaliser_.rules().rows[row].report;
        if (!rule.stores(reading, stored_[row], wall_offset)) {
            slots_.suppressed(lane);
            continue;
        }
        if (rule.is_too_close(reading, stored_[row], sink_.least_distance(lane))) {
            slots_.missed(lane, Cause::thinned);
            continue;
        }
        slots_.stored(lane, good);
        rule.remember(reading, stored_[row]);
        outgoing_[index_of(lane)].push_back(reading);
    }
}

void Supervisor::skip(const Due& due, Cause cause)
{
    for (const auto lane : all_lanes) {
        if (const auto slots = due.skipped[index_of(lane)]; slots > 0) {
            slots_.missed(lane, cause, slots);
        }
    }
}

void Supervisor::miss(PointSet rows, Cause cause)
{
    for (const auto row : rows) {
        slots_.missed(lane_of(row), cause);
    }
}

void Supervisor::hand_over()
{
    for (const auto lane : all_lanes) {
        auto& readings = outgoing_[index_of(lane)];
        if (!readings.empty()) {
            sink_.accept(lane, readings);
        }
        // The room that a thousand devices kept would be most of what they take; = {} keeps it.
        readings = std::vector<Reading>();
    }
    slots_.hand_over(sink_);
}

Cause Supervisor::whole_cause() const
{
    if (maintenance_until_ && clock_.now() < *maintenance_until_) {
        return Cause::maintenance;
    }
    return identified_.verdict == IdentityVerdict::mismatch ? Cause::mismatch : Cause::none;
}

void Supervisor::emit(const char* code, Severity severity, std::string text)
{
    if (settings_.event) {
        settings_.event({.code = code,
                         .severity = severity,
                         .text = std::move(text),
                         .subject = device_.site.id});
    }
}

DeviceStatus Supervisor::status() const
{
    const bool maintained = maintenance_until_ && clock_.now() < *maintenance_until_;
    return {.identified = identified_,
            .enabled = device_.site.enabled,
            .answering = answering_,
            .maintenance_until = maintained ? maintenance_until_ : std::nullopt,
            .last_good = last_good_,
            .last_cause = last_cause_,
            .down_since = down_told_ ? down_since_ : std::nullopt,
            .failures = breaker_.failures(),
            .probe_at = breaker_.probe_at(),
            .period = driver_->may_be_silent().value_or(schedule_.shortest()),
            .slots = slots_.total(),
            .answered = answered_,
            .failed = failed_,
            .latest = normaliser_.latest()};
}

}  // namespace gateway
