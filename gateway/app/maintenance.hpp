#pragma once

#include "gateway/core/ids.hpp"
#include "gateway/core/reading.hpp"
#include "gateway/runtime/clock.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gateway {

/// Which devices somebody works at, until when and why. Kept in the outbox as one text, so that a
/// restart does not end it. Within one boot the end is exact; after another boot it is judged by
/// the wall clock, and lasts no longer than it was meant to, whatever the clock says.
class MaintenanceBook {
public:
    static constexpr auto key = "maintenance";  ///< in the outbox
    static constexpr std::size_t most_devices = 1'024, longest_why = 200;
    static constexpr Duration longest = std::chrono::hours(24);

    struct Entry {
        Instant until;
        Duration length{};
        std::string why;
    };

    MaintenanceBook() = default;
    /// As text() gave it; what cannot be read is left out.
    MaintenanceBook(std::string_view text, const BootId& boot, Instant now,
                    const ClockReading& clock);
    std::string text(const BootId& boot, Instant now, const ClockReading& clock) const;

    /// Replaces what was there of the device. False: too many devices.
    bool begin(const std::string& device, Instant now, Duration length, std::string_view why);
    /// False when the device was not in maintenance.
    bool end(const std::string& device);
    /// Those whose time is over leave.
    std::vector<std::string> take_over(Instant now);
    /// When the first of them is over.
    std::optional<Instant> next_end() const;
    /// Null when nobody works at it.
    const Entry* find(const std::string& device) const;

private:
    std::map<std::string, Entry> entries_;
};

}  // namespace gateway
