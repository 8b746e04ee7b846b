#pragma once

#include "gateway/acquire/alarms.hpp"
#include "gateway/acquire/breaker.hpp"
#include "gateway/acquire/bus.hpp"
#include "gateway/acquire/due_rows.hpp"
#include "gateway/acquire/normalise.hpp"
#include "gateway/acquire/report.hpp"
#include "gateway/acquire/schedule.hpp"
#include "gateway/acquire/slot_account.hpp"
#include "gateway/core/event.hpp"
#include "gateway/runtime/histogram.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace gateway {

/// How long after its instant on the grid a poll began, in seconds.
using Lateness = Histogram<5>;
constexpr Lateness no_lateness{.bounds = {0.01, 0.1, 1, 10, 60}};

struct SupervisorSettings {
    /// Awaited before the first reading is accepted and whenever the identity changes, so that the
    /// dictionary is durable first.
    std::function<boost::asio::awaitable<void>(Identified)> identified;
    EventListener event;
    Phases phases;
    Duration longest_read = std::chrono::seconds(30);  ///< or one period, if that is longer
    Duration slowest_probe = std::chrono::seconds(60);
    /// Of a port that is not there: its adapter may be put back at any time.
    Duration slowest_reopen = std::chrono::seconds(5);
    /// Shared by the devices of one line: one dead device at a time is probed, so that a live one
    /// never waits for more than one time limit. Null: alone on its line.
    std::shared_ptr<Bus> probes;
    Lateness* lateness = nullptr;  ///< of the polls of all devices; outlives the supervisor
    std::shared_ptr<RuleBook> rules = std::make_shared<RuleBook>();  ///< of all devices
};

/// What is known of a device now.
struct DeviceStatus {
    Identified identified;
    bool enabled = true;
    bool answering = false;
    std::optional<Instant> maintenance_until;
    std::optional<BootTime> last_good;  ///< of any point
    Cause last_cause = Cause::none;     ///< of the last failure as a whole
    std::optional<Instant> down_since;  ///< nothing while it answers
    unsigned failures = 0;              ///< in a row
    Instant probe_at{};                 ///< not read before, after three failures
    Duration period{};                  ///< the shortest of its points
    SlotCounts slots;                   ///< all lanes together
    std::uint64_t answered = 0;         ///< polls, or messages heard
    std::uint64_t failed = 0;           ///< polls as a whole, or times that it was silent too long
    std::vector<Reading> latest;  ///< by row; those that were never read have Normaliser::never
};

/// Keeps one device read: identifies it, polls it on the grid or listens to it, judges, reports by
/// exception, raises its alarms, and accounts for every slot. Lives on the loop; clock and sink
/// outlive it.
class Supervisor {
public:
    Supervisor(DeviceConfig device, std::unique_ptr<Driver> driver, Clock& clock, Sink& sink,
               SupervisorSettings settings);
    Supervisor(const Supervisor&) = delete;
    Supervisor& operator=(const Supervisor&) = delete;

    /// For ever. Cancelling it leaves the slots of a read under way uncounted.
    boost::asio::awaitable<void> run();

    /// One read of every point, after the poll under way, judged and not stored.
    boost::asio::awaitable<Result<std::vector<Reading>>> read_now();

    /// Until then every reading is suspect, cause maintenance. An instant in the past ends it.
    void maintain(Instant until) { maintenance_until_ = until; }

    DeviceStatus status() const;
    const DeviceConfig& device() const { return device_; }

private:
    void note_lateness();
    boost::asio::awaitable<void> poll(PointSet due);

    // supervisor_listen.cpp: of a device that talks by itself
    boost::asio::awaitable<void> listen(Duration silence);
    boost::asio::awaitable<void> hear(Duration silence);
    boost::asio::awaitable<void> learn_identity();
    Result<std::vector<Reading>> latest_heard() const;
    boost::asio::awaitable<Result<Samples>> overhear(PointSet rows, Duration limit);
    void keep_late(Samples& samples);

    boost::asio::awaitable<Result<Samples>> identify_and_read(PointSet due);
    boost::asio::awaitable<Result<Samples>> read_rows(PointSet rows);
    boost::asio::awaitable<void> wake(bool by_read);
    boost::asio::awaitable<Status> learn_counts();
    void learn_counts_again();
    bool is_identity_due() const;
    boost::asio::awaitable<Status> ask_identity();
    boost::asio::awaitable<Result<Identified>> identified_now();
    void tell_identity();
    boost::asio::awaitable<void> announce(Identified identified);
    boost::asio::awaitable<void> went_down(Error error);
    void came_back();
    void store(Samples& samples, PointSet due);
    void store_readings(std::span<const std::uint16_t> rows, BootTime time,
                        std::optional<std::chrono::milliseconds> wall_offset);
    void skip(const Due& due, Cause cause);
    void miss(PointSet rows, Cause cause);
    void hand_over();
    void tell_device(bool answering, Cause cause);
    void emit(const char* code, Severity severity, std::string text);
    Cause whole_cause() const;
    BootTime stamp() const { return std::chrono::floor<std::chrono::milliseconds>(clock_.now()); }
    Lane lane_of(std::uint16_t row) const { return device_.profile->points[row].lane; }

    DeviceConfig device_;
    std::unique_ptr<Driver> driver_;
    Clock& clock_;
    Sink& sink_;
    SupervisorSettings settings_;
    Schedule schedule_;
    Normaliser normaliser_;
    Alarms alarms_;
    DueRows due_rows_;
    Breaker breaker_;
    Lane main_lane_;  // the one that most points use
    Bus turns_;       // the poll and read_now() take turns at the driver
    std::vector<Stored> stored_;
    std::vector<std::uint16_t> all_rows_;  // that have readings
    std::vector<bool> is_due_;             // of the rows that are read, by row
    PointSet asked_;                       // by the read under way
    PerLane<std::vector<Reading>> outgoing_;
    SlotAccount slots_;
    Identity heard_identity_;  // of a device that talks
    Identified identified_;
    bool announced_ = false;     // the hook has heard of identified_
    bool asks_identity_ = true;  // before the next read
    Instant identity_until_{};   // then it is asked again
    bool awake_ = false;         // it answered since it was silent
    Instant last_read_{};
    bool answering_ = false;
    bool listening_ = false;
    std::optional<Instant> maintenance_until_;
    std::optional<BootTime> last_good_, down_told_, down_since_;
    Cause last_cause_ = Cause::none;
    std::uint64_t answered_ = 0, failed_ = 0;
};

}  // namespace gateway
