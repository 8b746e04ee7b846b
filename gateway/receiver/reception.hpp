#pragma once

#include "gateway/mqtt/client.hpp"
#include "gateway/receiver/batch_writer.hpp"
#include "gateway/receiver/check.hpp"
#include "gateway/receiver/figures.hpp"
#include "gateway/receiver/receipts.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gateway {

/// box -> org.
using Roster = std::map<std::string, std::string, std::less<>>;

struct ReceptionSettings {
    std::string receiver = "receiver-1";
    std::string out = "none";  ///< a file, "-" or "none"
    std::string state;         ///< directory
    bool receipts = true;
    std::optional<Roster> roster;  ///< none but these boxes
    std::size_t most_held_bytes = 16U << 20U;
};

/// The platform's side of the promise: messages in, lines and receipts out, in the order write,
/// sync, commit, receipt. Knows no connection. Every member is called on the store worker.
class Reception {
public:
    /// Throws StoreError, std::system_error or std::runtime_error when state or file will not do.
    explicit Reception(ReceptionSettings settings);

    /// Takes the messages in their order. On return what they brought is durable; what it returns
    /// is for boxes: the receipts that are due, and commands. Throws when the file or the state
    /// fails: nothing of these messages counts then, and the process must end.
    std::vector<Outgoing> take(const std::vector<mqtt::Message>& messages, Receipts::Time now);
    /// True while a receipt waits for its second to pass.
    bool is_waiting() const { return settings_.receipts && receipts_.is_waiting(); }
    void connected() { receipts_.connected(); }
    /// Messages that were dropped before they came here.
    void count_dropped(std::uint64_t count) { tally_.dropped += count; }

    const Tally& tally() const { return tally_; }
    std::vector<LaneReport> report() { return make_report(ledger_); }
    /// The page of `/metrics`.
    std::string metrics(const SessionFigures& session, MetricsFormat format) const
    {
        return metrics_page(figures_, tally_, online_, session, format);
    }

private:
    void take(const mqtt::Message& message);
    std::optional<Refusal> check_origin(const Topic& topic);
    std::optional<Refusal> take(const Topic& topic, const mqtt::Message& message);
    std::optional<Refusal> take_batch(const Topic& topic, ByteView message);
    std::optional<Refusal> take_dictionary(const Topic& topic, std::string_view text);
    std::optional<Refusal> take_birth(const Topic& topic, std::string_view text, bool retained);
    std::optional<Refusal> take_manifest(const Topic& topic, std::string_view text);
    std::optional<Refusal> take_state(const Topic& topic, std::string_view text);
    void refuse(std::string_view topic, const Refusal& refusal);

    void book(const Topic& topic, const BirthEpoch& listed);
    void close_unlisted(const Topic& topic, const Birth& birth);
    void close_lost(const Topic& topic, EpochRecord epoch);
    void compare(const Topic& topic, const EpochRecord& epoch, Lane lane, const ManifestLane& said);
    void ask_again(const Topic& topic, const EpochRecord& epoch, Lane lane,
                   const LaneAccount& account, std::uint64_t head);

    ReceptionSettings settings_;
    LedgerState ledger_;
    LineFile file_;
    Tally tally_;
    Figures figures_;
    Dictionaries dictionaries_;
    BatchWriter writer_;
    HeldBatches held_;
    Receipts receipts_;
    Figures::Online online_;
    std::vector<Outgoing> commands_;
    // How much was here at the last manifest, of lanes that miss something.
    std::map<std::pair<EpochId, Lane>, std::uint64_t> behind_;
    std::uint64_t refused_in_round_ = 0;
};

}  // namespace gateway
