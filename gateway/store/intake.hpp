#pragma once

#include "gateway/acquire/sink.hpp"
#include "gateway/runtime/clock.hpp"
#include "gateway/runtime/worker.hpp"
#include "gateway/store/outbox.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace gateway {

struct IntakeSettings {
    PerLane<Duration> interval;
    std::string spool_directory;            ///< on tmpfs; empty: no spool
    std::size_t most_open_bytes = 4 << 20;  ///< of all open batches together
    /// More may be written in a day only at the cost of what batches wait for: see Stretch. 0: no
    /// limit.
    std::uint64_t flash_bytes_per_day = 0;
    PerLane<Policy> policy{};
};

struct IntakeCounters {
    std::uint64_t accepted = 0;   ///< readings
    std::uint64_t committed = 0;  ///< readings
    std::uint64_t commits = 0;
    std::uint64_t bytes = 0;          ///< of the batches stored
    std::uint64_t written_bytes = 0;  ///< by this process, to any disk; of the last minute's look
    WrittenBytes written;             ///< per day and in all, kept over restarts; likewise
    double stretch = 1;               ///< of the intervals, for the flash's sake
};

/// The loop's side of the store: collects accepted readings in one open batch per lane, each
/// spooled to tmpfs, and commits due batches through the store worker, all lanes that are due in
/// one transaction. While no store takes them, readings are kept in memory and in the spool, as
/// many as may; what had to go is declared lost (`volatile`) once a store works. Runs on the loop.
class Intake {
public:
    Intake(boost::asio::any_io_executor executor, Worker& store, Outbox& outbox, Clock& clock,
           IntakeSettings settings);
    ~Intake();
    Intake(const Intake&) = delete;
    Intake& operator=(const Intake&) = delete;

    // The contract of acquire/sink.hpp, which app.cpp forwards.
    bool has_room() const;
    boost::asio::awaitable<void> wait_for_room();
    void accept(Lane lane, std::span<const Reading> readings);
    void count(Lane lane, const SlotCounts& slots);
    Duration least_distance(Lane lane) const;

    /// Makes a device's dictionary durable and uses it from now on; open batches that hold the
    /// device are closed first.
    boost::asio::awaitable<void> announce(std::uint16_t device, DictionaryHash hash,
                                          std::string bytes);

    /// Commits what the spool of earlier epochs holds and no commit reached (W15), then closes
    /// those epochs and opens this one in lane control. Once, before the first accept.
    boost::asio::awaitable<void> recover_spool();

    /// Commits due batches for ever; on cancellation stops between commits.
    boost::asio::awaitable<void> run();
    /// Commits everything that is open; durable on return, unless no store can be used.
    boost::asio::awaitable<void> flush();
    /// Called on the loop after each commit with what became durable, in order.
    void on_durable(std::function<void(const std::vector<StoredBatch>&)> listener);
    /// Called on the loop when an epoch was opened, or epochs of a store that was set aside came
    /// over, after the start.
    void on_epochs_changed(std::function<void()> listener);
    /// Called on the loop with what happened to store and spool, also before this call.
    void on_event(EventListener listener);
    /// Since the start.
    const IntakeCounters& counters() const;

private:
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace gateway
