#include "gateway/store/thinning.hpp"

#include <algorithm>
#include <utility>

namespace gateway {

namespace {

using namespace std::chrono_literals;

constexpr unsigned begins_at = 80;
constexpr unsigned ends_below = 70;
constexpr unsigned doublings = 6;  // by then it is an hour
constexpr Duration first = 1min;
constexpr Duration longest = 1h;

}  // namespace

bool Thinning::update(unsigned share_used_percent)
{
    auto distance = distance_;
    if (share_used_percent >= begins_at) {
        const auto times = std::min(share_used_percent - begins_at, doublings);
        distance = std::min(first * (1 << times), longest);
    } else if (share_used_percent < ends_below) {
        distance = {};
    } else if (distance > 0s) {
        distance = first;
    }
    return std::exchange(distance_, distance) != distance;
}

}  // namespace gateway
