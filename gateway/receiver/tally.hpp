#pragma once

#include <cstdint>
#include <string>

namespace gateway {

/// What a receiver did since it started.
struct Tally {
    std::uint64_t batches = 0;     ///< that brought something new
    std::uint64_t readings = 0;    ///< written
    std::uint64_t duplicates = 0;  ///< readings that were here already
    std::uint64_t gaps = 0;        ///< stretches declared lost
    std::uint64_t lost = 0;        ///< readings in them
    std::uint64_t conflicts = 0;   ///< batches whose content was not what came before
    std::uint64_t refused = 0;     ///< messages that were not accepted
    std::uint64_t held = 0;        ///< batches that waited for a dictionary
    std::uint64_t dropped = 0;     ///< messages for which there was no room
    std::uint64_t births = 0;
    std::uint64_t manifests = 0;
    std::uint64_t differing = 0;  ///< manifests that say something else than is here

    std::string to_json() const;
};

}  // namespace gateway
