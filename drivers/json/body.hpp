#pragma once

#include "drivers/json/map.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace gateway::json_text {

/// What one answer or message says. It keeps its memory from one to the next.
class Body {
public:
    /// `map` outlives it.
    explicit Body(const DeviceMap& map) : map_(map) {}

    /// Takes what came from a source; JSON unless all that is read of it is plain text.
    Status take(std::string_view text, std::uint16_t source);

    // What follows is of what was taken last, and only when that went well.

    /// Whether it holds what the profile wants of a message that counts.
    bool counts() const;
    DeviceTime time(const ClockReading& wall) const;
    /// Adds one sample per row that its source brings, in the order of `rows`; what an optional
    /// location does not find is left out when `spoken_only`.
    void collect(const std::vector<Location>& locations, std::span<const std::uint16_t> rows,
                 Samples& samples, bool spoken_only = false) const;

private:
    const DeviceMap& map_;
    Document json_, plain_;
    bool is_json_ = false;
    std::uint16_t source_ = 0;
};

}  // namespace gateway::json_text
