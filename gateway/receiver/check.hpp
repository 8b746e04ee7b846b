#pragma once

#include "gateway/receiver/ledger_state.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace gateway {

/// What can be said of one lane of an epoch, from best to worst.
enum class Completeness : std::uint8_t {
    identical,  ///< the manifest's head, count and sum are those here
    counted,    ///< no sequence is missing; the sum could not be compared
    unknown,    ///< no manifest came
    missing,    ///< sequences are neither here nor declared lost
    differs,    ///< no sequence is missing, yet the content is not the manifest's
};

std::string_view to_string(Completeness completeness);

struct LaneVerdict {
    Completeness completeness = Completeness::unknown;
    std::vector<Range> missing;
    std::string note;     ///< why the sum could not be compared, or how far; else empty
    bool agrees = false;  ///< count and sum are the manifest's, up to its head
};

/// Compares what is here with the lane's latest manifest (protocol.md, section 6).
/// `above_manifest` are the pieces that begin after the manifest's head.
LaneVerdict judge(const LaneAccount& account, const std::vector<Piece>& above_manifest);
/// As above, with the pieces from the ledger.
LaneVerdict judge(LedgerState& ledger, std::int64_t epoch, Lane lane, const LaneAccount& account);

struct LaneReport {
    std::string box;
    EpochId epoch;
    bool closed = false;
    Lane lane = Lane::telemetry;
    LaneAccount account;
    LaneVerdict verdict;
    std::vector<Gap> gaps;  ///< declared lost and not here
};

/// Every lane of every epoch that has something.
std::vector<LaneReport> make_report(LedgerState& ledger);
/// For people: a row per lane, and below it each missing or lost stretch with its reason.
std::string table(const std::vector<LaneReport>& report);
/// For programs: the totals and every lane that is not complete, one line of JSON.
std::string to_json(const std::vector<LaneReport>& report);
/// 0: all complete; 1: something is missing, lost or differs; 2: nothing is, but not all could be
/// told.
int exit_code(const std::vector<LaneReport>& report);

}  // namespace gateway
