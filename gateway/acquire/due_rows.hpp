#pragma once

#include "gateway/acquire/driver.hpp"
#include "gateway/config/profile.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace gateway {

/// Which rows a poll asks for. A value that says something of others, such as their unit or their
/// status, is read with them, so that both are of the same moment; a row that the device does not
/// have is not asked for.
class DueRows {
public:
    explicit DueRows(const Profile& profile);

    /// The rows that tell how many rows of a kind there are, as long as that is not known.
    PointSet unknown_counts();
    bool exists(std::uint16_t row) const;
    /// Whether the row may exist, but how many there are is not known.
    bool is_unknown(std::uint16_t row) const;
    /// The rows of `due` that the device has. Valid until the next call.
    PointSet existing(PointSet due);
    /// `due` and what is read with it, ascending. Valid until the next call.
    PointSet with_companions(PointSet due);

    /// Takes a count as the device told it; negative: it did not. Says whether it has changed.
    bool learn(std::uint16_t row, std::int64_t count);
    /// The rows that tell a count.
    const std::vector<std::uint16_t>& count_rows() const { return count_rows_; }
    void forget_counts();

private:
    static constexpr std::int64_t unknown = -1;
    struct Limit {
        std::int32_t count_row = -1;  ///< none: the row always exists
        std::uint16_t number = 0;     ///< of the row, from 1
    };

    std::vector<std::vector<std::uint16_t>> companions_;  ///< by row; empty when nobody has any
    std::vector<Limit> limits_;         ///< by row; empty when no row may be absent
    std::vector<std::int64_t> counts_;  ///< by row that tells one
    std::vector<std::uint16_t> count_rows_, existing_, all_, unknown_;
};

/// The rows that have readings, by how often they are polled.
std::map<Duration, std::vector<std::uint16_t>> rows_by_poll(const Profile& profile);

}  // namespace gateway
