#pragma once

#include "gateway/store/outbox_database.hpp"
#include "gateway/store/salvage.hpp"

#include <map>

namespace gateway {

/// The store that is being salvaged, and how far that has come.
struct Outbox::Database::Rescue {
    Rescue(unsigned store_number, const std::string& path, std::int64_t first)
        : number(store_number), from(first), source(path, first)
    {
    }

    unsigned number;
    std::int64_t from;  ///< rows below have come over
    Salvage source;
    /// What the platform had of each lane, by lane key: rows inside had been freed, or were about
    /// to.
    std::map<std::uint64_t, RangeSet> received;
    bool scanned = false;
    bool first_scan = true;
};

}  // namespace gateway
