#pragma once

#include "gateway/core/reading.hpp"
#include "gateway/runtime/clock.hpp"

#include <cstdint>
#include <string>

namespace gateway {

/// What was written, which is what flash wears by: by this process, as the kernel counts it, and to
/// the block device under the store, by whomever, where that can be seen.
struct WrittenBytes {
    std::uint64_t today = 0;         ///< of the day of the last commit, UTC
    std::uint64_t yesterday = 0;     ///< of the counted day before
    std::uint64_t total = 0;         ///< since the first start
    std::uint64_t device_today = 0;  ///< 0 when it cannot be seen
    std::uint64_t device_total = 0;
    std::uint64_t days = 0;  ///< begun since the first start

    /// What the flash wears by: all that the device took where that is seen, else our own.
    std::uint64_t worn() const { return device_total > 0 ? device_total : total; }
    /// Days until `rated_bytes` are written at the rate so far (of the device where it is seen);
    /// nothing in the first day.
    std::optional<std::uint64_t> days_left(std::uint64_t rated_bytes) const;
};

/// Keeps these counters over restarts. They lose what the last process wrote after its last save.
class Wear {
public:
    /// `directory` lies on the device that is counted.
    explicit Wear(const std::string& directory);

    /// Counts what was written since the last look, for the day of `clock` if that is known.
    void look(const ClockReading& clock);
    const WrittenBytes& written() const { return written_; }
    std::uint64_t by_this_process() const { return process_before_; }  ///< since its start

    std::string text() const;
    /// Takes in what an earlier process saved; the first time only.
    void restore(const std::string& text);

private:
    WrittenBytes written_;
    std::int64_t day_ = 0;  ///< since 1970; 0: not known yet
    std::string device_;    ///< its `stat` file, or empty
    std::uint64_t process_before_ = 0, device_before_ = 0;
    bool restored_ = false;
};

}  // namespace gateway
