#pragma once

#include "gateway/store/outbox_database.hpp"
#include "gateway/store/salvage.hpp"

#include <map>

namespace gateway {

/// Brings what stores that were set aside hold into the one in use, and how far that has come.
struct Outbox::Database::Rescue {
    explicit Rescue(Database& target) : store(target) {}

    /// Of stores that were set aside: there is none, or it waits for a newer program or for a disk
    /// that can be read, or its salvage has begun.
    enum class Aside : std::uint8_t { none, waits, begun };

    SalvageStep salvage();
    Aside begin_rescue();
    void scan_rescue();
    bool has_room_for_salvage();
    void move_rows(SalvageStep& step);
    void take_in(const Salvage::Found& found);
    void take_in_freed(EpochBook& epoch, Lane lane, const Tally& freed);
    void take_over(const Salvage::Message& message, SalvageStep& step);
    EpochBook* epoch_for(const BatchHeader& header, std::int64_t id);
    void declare_holes(EpochBook& epoch, Lane lane, std::uint64_t last, LossReason reason,
                       SalvageStep& step);
    std::uint64_t& covered(const EpochBook& epoch, Lane lane);
    bool conclude_epoch(SalvageStep& step);
    bool keep(const SpooledBatch& spooled);
    bool is_here(const EpochBook& epoch, Lane lane, const RowSpan& span);
    std::uint64_t put_spooled(EpochBook& epoch, const SpooledBatch& spooled, SalvageStep& step);
    bool conclude_spool();

    Database& store;
    std::optional<Salvage> source;
    unsigned source_number = 0;
    std::int64_t from = 0;  ///< rows below have come over
    bool scanned = false;
    bool first_scan = true;
    /// What the platform had of each lane, by lane key: rows inside had been freed, or were about
    /// to.
    std::map<std::uint64_t, RangeSet> received;
    std::map<std::uint64_t, std::uint64_t> covered_by_lane;  ///< the last sequence dealt with
    std::vector<SpooledBatch> kept;                          ///< to be placed after all rows
    std::uint64_t salvaged = 0;                              ///< readings
    std::uint64_t lost_readings = 0;
};

}  // namespace gateway
