#pragma once

#include "gateway/config/binding.hpp"
#include "gateway/core/json.hpp"
#include "gateway/core/reading.hpp"
#include "gateway/runtime/clock.hpp"

#include <string>
#include <vector>

namespace gateway {

/// A reading as a person or a script sees it (`read`, `tail`). Decimal text, so that no number is
/// bent on the way.
struct ReadingRow {
    std::string device, point;
    std::string value;    ///< decimal text, a name, a text; empty when there is none
    bool number = false;  ///< `value` may stand in JSON as a number
    std::string unit, quality, cause;
    std::string raw;   ///< as the device gave it; empty when there is none
    std::string time;  ///< UTC with ms; empty while the wall clock is not known

    /// The object that goes over the control socket; `from` reads it back.
    json::object object() const;
    static ReadingRow from(const json::object& object);
    /// One line of `--json`: device point value unit quality cause raw time.
    std::string json_line() const;
};

/// `clock` dates the reading: its wall time is `clock.wall` less the time since.
ReadingRow describe(const DeviceConfig& device, const Reading& reading, Instant now,
                    const ClockReading& clock);

/// Aligned columns for a terminal or a pipe, ended by a newline.
std::string table(const std::vector<ReadingRow>& rows);

}  // namespace gateway
