#pragma once

#include "gateway/store/held_rows.hpp"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace gateway {

/// What a store that nobody has open holds of one epoch and lane.
struct LaneSurvey {
    std::uint64_t rows = 0;
    std::uint64_t readings = 0;
    std::uint64_t unconfirmed = 0;  ///< of the readings: the platform had not said that it has them
    std::uint64_t declared_lost = 0;
    std::uint64_t head = 0;                  ///< the highest sequence that was durable
    std::optional<WallTime> oldest, newest;  ///< of the batches, as far as they are dated
    std::vector<Range> missing;              ///< neither here nor confirmed nor declared lost
};

struct EpochSurvey {
    std::uint32_t number = 0;
    std::map<Lane, LaneSurvey> lanes;
};

struct StoreSurvey {
    std::set<std::string> boxes;
    std::map<EpochId, EpochSurvey> epochs;
    /// Wall clock less CLOCK_BOOTTIME, for batches that were made before the clock was set.
    std::map<BootId, std::chrono::milliseconds> clocks;
    std::uint64_t readings = 0, unconfirmed = 0, declared_lost = 0, missing = 0;
    std::uint64_t damaged_rows = 0;
    std::vector<std::string> mistakes;  ///< the first of them, in words
};

/// Looks at every row; with `whole`, also at every reading in it. `progress` hears how many rows
/// (batches) there were so far.
StoreSurvey survey(HeldRows& rows, bool whole,
                   const std::function<void(std::uint64_t rows)>& progress);

}  // namespace gateway
