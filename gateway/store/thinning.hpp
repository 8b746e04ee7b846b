#pragma once

#include "gateway/core/reading.hpp"

namespace gateway {

/// How far apart readings of one point are kept while the share of their lane fills up (policy
/// `thin`, protocol.md, section 2.2): from 80 % on a minute, twice as far with each further
/// percent, an hour at most. It ends when the share is used to less than 70 %.
class Thinning {
public:
    /// Whether the distance has changed.
    bool update(unsigned share_used_percent);
    /// None: every reading is kept.
    Duration distance() const { return distance_; }

private:
    Duration distance_{};
};

}  // namespace gateway
