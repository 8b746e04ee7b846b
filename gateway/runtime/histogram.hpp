#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace gateway {

/// How many values were at most each bound. The bounds ascend and do not change.
template <std::size_t Size>
struct Histogram {
    std::array<double, Size> bounds{};
    std::array<std::uint64_t, Size + 1> counts{};  ///< the last is of what lies above every bound
    double sum = 0;

    void add(double value)
    {
        const auto* const at = std::lower_bound(bounds.begin(), bounds.end(), value);
        ++counts[static_cast<std::size_t>(at - bounds.begin())];
        sum += value;
    }
};

}  // namespace gateway
