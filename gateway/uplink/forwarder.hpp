#pragma once

#include "gateway/store/outbox.hpp"
#include "gateway/uplink/dictionaries.hpp"
#include "gateway/uplink/forwarder_parts.hpp"
#include "gateway/uplink/receipt.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace gateway {

/// The sending of batches in one session (design 3.4). Alarm and control go first, then what is
/// committed during the session, straight from memory, then the outbox from its oldest row.
/// Runs on the loop; the client ends before the forwarder.
class Forwarder {
public:
    Forwarder(const ForwarderParts& parts, ForwarderSettings settings);
    Forwarder(const Forwarder&) = delete;
    Forwarder& operator=(const Forwarder&) = delete;

    /// Batches that became durable just now. What cannot be sent soon is left to the outbox.
    void offer(const std::vector<StoredBatch>& batches);
    /// Epochs of the store; receipts of others change nothing. What this says is what the platform
    /// was told last.
    void announced(const std::vector<EpochState>& epochs);
    /// From our receiver, for our box.
    void received(Receipt receipt);
    /// Sends again what is still held inside; false: no such epoch.
    bool replay(const LaneKey& key, const std::vector<Range>& ranges);
    /// Clears retained dictionaries that nothing names, but for `current`.
    boost::asio::awaitable<void> clear_dictionaries(std::set<DictionaryHash> current);

    /// Does one piece of work that needs the store, if there is any. `wake` is signalled when there
    /// may be more.
    boost::asio::awaitable<bool> step();
    /// When step has work again though nothing happened.
    std::optional<Instant> next_step() const;

    /// No more history: only what is live is still sent.
    void finish() { finishing_ = true; }
    /// Nothing is with the broker or waits to be sent live.
    bool idle() const { return window_.idle() && live_.empty() && urgent_.empty(); }
    /// Set when the session is of no use: a message failed, or rules of the broker may have
    /// changed.
    Error broken() const { return broken_; }
    ForwarderCounts counts() const;
    /// What a session has ended on: the first batch that was sent and never acknowledged.
    const std::optional<SentBatch>& stuck() const { return stuck_; }
    /// Receipts' entries that named an epoch this store does not know.
    std::uint64_t unknown_epochs() const { return unknown_epochs_; }

private:
    struct Waiting {
        StoredBatch batch;
        std::vector<DictionaryHash> needs;
    };
    struct Cursor {
        std::uint32_t epoch_number = 0;
        std::uint64_t after = 0;
        bool at_end = false;
        unsigned changes = 0;  // so that a read which was under way is not taken for the news
    };

    bool is_too_large(const StoredBatch& batch) const;
    static bool is_urgent(Lane lane) { return lane == Lane::alarm || lane == Lane::control; }
    static LaneKey key_of(const StoredBatch& batch) { return {batch.epoch, batch.lane}; }
    static std::vector<DictionaryHash> needs_of(const StoredBatch& batch);

    bool may_send(Urgency urgency, std::size_t bytes, const std::string& topic) const;
    void send(const StoredBatch& batch, Urgency urgency, const std::string& topic);
    void ended(const SentBatch& sending, const mqtt::Outcome& outcome);
    void refused(const SentBatch& sending, int reason);
    void pause();

    void send_live();
    void send_queue(std::deque<Waiting>& queue, Urgency urgency);
    void shed_live();
    void leave_to_history(std::deque<Waiting>& queue);
    std::optional<std::uint64_t> live_from(Lane lane) const;

    bool history_possible() const;
    void send_fetched();
    bool send_row(const Waiting& next);
    boost::asio::awaitable<void> fetch(Lane lane);
    std::optional<Lane> lane_behind() const;
    void look_again(Lane lane);
    void rewind(const LaneKey& key);
    void rewind_all();

    boost::asio::awaitable<void> note_losses_told();
    boost::asio::awaitable<void> apply_receipt();
    void conclude_receipt(const LaneKey& key, const std::vector<Range>& ranges,
                          ReceiptVerdict verdict);
    boost::asio::awaitable<void> forget_epochs();
    boost::asio::awaitable<void> repair();

    ForwarderParts parts_;
    ForwarderSettings settings_;
    Window window_;
    SentLog sent_;
    Dictionaries dictionaries_;

    std::deque<Waiting> urgent_, live_;
    std::size_t live_bytes_ = 0;
    std::uint32_t live_epoch_ = 0;
    PerLane<std::uint64_t> offered_{};  // the highest sequence offered; 0: none

    PerLane<Cursor> cursors_{};
    std::deque<Waiting> fetched_;  // rows of one lane
    std::map<EpochId, std::uint32_t> epochs_;
    std::set<EpochId> drained_, forgettable_;  // closed, told so, without rows; and receipted so
    std::map<LaneKey, std::vector<Range>> receipts_;
    bool hello_ = false, finishing_ = false;
    std::map<LaneKey, RangeSet> acknowledged_;  // released on PUBACK
    std::vector<std::pair<LaneKey, Range>> losses_told_;
    std::deque<RowRepair> repairs_;
    std::set<std::pair<LaneKey, std::uint64_t>> whole_;  // rows of one reading, larger than is good
    std::map<std::pair<LaneKey, std::uint64_t>, unsigned> refusals_;

    std::set<std::string> held_topics_;
    std::optional<Instant> renew_at_;  // since a topic is held
    std::set<std::string> told_;       // events that are reported once a session
    Instant paused_until_;
    Duration pause_;
    Error broken_;
    std::optional<SentBatch> stuck_;
    std::uint64_t unknown_epochs_ = 0;
    ForwarderCounts counts_;
};

}  // namespace gateway
