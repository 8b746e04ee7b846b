#pragma once

#include "gateway/receiver/held_batches.hpp"
#include "gateway/receiver/ledger_state.hpp"

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace gateway {

/// A message to a box.
struct Outgoing {
    std::string topic;
    std::string payload;
};

/// Asks a box for a new birth: a retained one says what was true when its session began.
Outgoing rebirth_command(std::string_view receiver, std::string_view org, std::string_view box,
                         std::chrono::system_clock::time_point now);

/// Asks a box to send the first of `ranges` again.
Outgoing replay_command(std::string_view receiver, std::string_view org, std::string_view box,
                        const EpochId& epoch, Lane lane, const std::vector<Range>& ranges,
                        std::chrono::system_clock::time_point now);

/// Which boxes are to be told what, and when (protocol.md, section 4): at most one receipt a second
/// for each, all of a birth's epochs in answer to it. What a receipt says is read from the state,
/// so it must be committed when due() is called.
class Receipts {
public:
    using Time = std::chrono::steady_clock::time_point;

    Receipts(std::string receiver, LedgerState& ledger, const HeldBatches& held)
        : receiver_(std::move(receiver)), ledger_(ledger), held_(held)
    {
    }

    /// A new connection: boxes are greeted again, since messages may have been lost meanwhile.
    void connected() { greeted_.clear(); }
    /// The box heeds another receiver: it gets nothing from this one.
    void leave_alone(std::string_view box);
    bool leaves_alone(std::string_view box) const { return left_alone_.contains(box); }
    /// Something of the epoch changed, or came again.
    void changed(std::string_view org, std::string_view box, const EpochId& epoch);
    /// A dictionary is missing.
    void wanting(std::string_view org, std::string_view box);
    /// A birth lists these epochs. One that was retained is the box's first since we connected:
    /// what it sent before is asked for with `hello`.
    void born(std::string_view org, std::string_view box, const std::vector<EpochId>& epochs,
              bool retained);

    std::vector<Outgoing> due(Time now);
    /// Nothing of what waits is sent.
    void clear() { boxes_.clear(); }
    /// Something is to be sent, now or within a second.
    bool is_waiting() const { return !boxes_.empty(); }

private:
    struct Pending {
        std::string org;
        std::set<EpochId> epochs;
        bool hello = false;
    };

    Pending& pending(std::string_view org, std::string_view box);
    std::string text(const std::string& box, Pending& pending);

    std::string receiver_;
    LedgerState& ledger_;
    const HeldBatches& held_;
    std::map<std::string, Pending, std::less<>> boxes_;
    std::map<std::string, Time, std::less<>> latest_;  // within the last second
    std::set<std::string, std::less<>> greeted_;
    std::set<std::string, std::less<>> left_alone_;
};

}  // namespace gateway
