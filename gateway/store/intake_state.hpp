#pragma once

#include "gateway/store/held_batches.hpp"
#include "gateway/store/intake.hpp"
#include "gateway/store/open_batches.hpp"
#include "gateway/store/stretch.hpp"
#include "gateway/store/thinning.hpp"

#include <boost/asio/steady_timer.hpp>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace gateway {

constexpr Duration heads_interval = std::chrono::seconds(60);
constexpr Duration first_pause = std::chrono::seconds(1);  // until a store that failed is tried

/// What a job on the store worker did.
struct CommitOutcome {
    std::vector<StoredBatch> announced;  ///< the rows of a new epoch
    std::vector<StoredBatch> stored;
    std::vector<Event> events;
    bool committed = false;
    bool full = false;    ///< not committed for want of space: the store is all right
    bool opened = false;  ///< an epoch was opened: `epoch` and `heads` are its
    EpochId epoch;
    PerLane<std::uint64_t> heads{};
};

/// The worker's side of the intake: the outbox, and what a new store must be told before anything
/// is committed to it. Only jobs touch it.
class StoreSide {
public:
    StoreSide(Outbox& outbox, std::string spool_directory);

    /// What earlier runs left behind, for the first commit. Once, before the first accept.
    void read_spool();
    /// Commits, with a second try in a new store when the one in use fails in it.
    CommitOutcome commit(const Commit& commit, const Moment& now);
    void put_dictionary(DictionaryHash hash, const std::string& bytes);
    Outbox& outbox() { return outbox_; }

private:
    void prepare(const Moment& now, CommitOutcome& outcome);

    Outbox& outbox_;
    std::string spool_directory_;
    std::vector<SpooledBatch> spooled_;             ///< of earlier runs, not committed yet
    std::map<DictionaryHash, Bytes> dictionaries_;  ///< announced in this run, packed
    std::set<DictionaryHash> untold_;  ///< of these, what the store in use has not got yet
    std::optional<EpochId> announced_;
};

class Intake::State {
public:
    State(boost::asio::any_io_executor executor, Worker& store, Outbox& outbox, Clock& clock,
          IntakeSettings settings);

    bool has_room() const
    {
        return open_.memory_bytes() + held_.memory_bytes() + committing_bytes_ <
               settings_.most_open_bytes;
    }
    boost::asio::awaitable<void> wait_for_room();
    void accept(Lane lane, std::span<const Reading> readings);
    void count(Lane lane, const SlotCounts& slots) { add(slots_[index_of(lane)], slots); }
    Duration least_distance(Lane lane) const { return thinning_[index_of(lane)].distance(); }
    boost::asio::awaitable<void> announce(std::uint16_t device, DictionaryHash hash,
                                          std::string bytes);
    boost::asio::awaitable<void> recover_spool();
    boost::asio::awaitable<void> run();
    boost::asio::awaitable<void> flush();

    void tell(const Event& event);
    void listen(EventListener listener);

    std::function<void(const std::vector<StoredBatch>&)> durable_listener;
    std::function<void()> epochs_listener;
    IntakeCounters counters;

private:
    /// One commit runs at a time; the next waits for it here.
    class Turn {
    public:
        explicit Turn(State& state) : state_(state) { state_.busy_ = true; }
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;
        ~Turn()
        {
            state_.busy_ = false;
            state_.committing_bytes_ = 0;
            state_.idle_.cancel();
            state_.room_.cancel();
        }

    private:
        State& state_;
    };

    boost::asio::awaitable<void> wait_until(Instant when);
    boost::asio::awaitable<void> commit(bool everything);
    boost::asio::awaitable<bool> commit_slice();
    boost::asio::awaitable<void> keep_house();
    boost::asio::awaitable<void> look_at_use();
    void follow_wear(const StoreUse& use);
    void follow_shares(const StoreUse& use);
    void conclude(HeldBatches::Slice slice, const CommitOutcome& outcome);
    void fall_back(HeldBatches::Slice slice, bool full);
    void learn(const std::vector<StoredBatch>& stored);
    Moment moment() const;
    Instant due() const;
    bool has_slots() const;

    boost::asio::any_io_executor executor_;
    Worker& store_;
    StoreSide side_;  ///< only for jobs
    Clock& clock_;
    IntakeSettings settings_;
    OpenBatches open_;
    HeldBatches held_;
    Stretch stretch_;
    PerLane<Thinning> thinning_;
    PerLane<SlotCounts> slots_;
    EventListener event_listener_;
    std::vector<Event> waiting_events_;
    boost::asio::steady_timer wake_, room_, idle_;  // never expire: cancelling one wakes who waits
    Instant next_heads_, next_house_;
    SalvageStep::Next salvage_ = SalvageStep::Next::later;
    Instant retry_at_{};
    Duration pause_{};  ///< until the next try; none: the store works
    std::uint64_t given_up_ = 0;
    std::size_t committing_bytes_ = 0;
    bool busy_ = false;
};

}  // namespace gateway
