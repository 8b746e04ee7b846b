#pragma once

#include "drivers/ascii/line_map.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace gateway::ascii {

/// Picks the values that are wanted out of the lines as they come. Lent what it works on.
class Hearing {
public:
    /// `samples` have their rows, which number `sources`, and are failures until their line comes.
    Hearing(const LineMap& map, std::span<const Source> sources, Samples& samples)
        : map_(map), sources_(sources), samples_(samples)
    {
    }

    /// Wants the sample at this position.
    void want(std::size_t position) { open_.push_back(position); }
    void want_all();
    /// What was sent, for lines that are only its echo.
    void asked(std::string_view request) { request_ = trimmed(request); }
    /// Forgets what is still wanted; those samples fail with this cause.
    void give_up(Cause cause);
    /// Forgets what is still wanted and takes those samples away.
    void leave_out();

    /// Whether the line held a value that was wanted.
    bool take(std::string_view line);
    /// A line that could not be taken.
    void damaged(const Error& error) { damage_ = error; }

    /// Nothing is wanted any more.
    bool complete() const { return open_.empty(); }
    /// What was wrong with the last line that was, if any.
    const std::optional<Error>& damage() const { return damage_; }

private:
    const LineMap& map_;
    std::span<const Source> sources_;
    Samples& samples_;
    std::vector<std::size_t> open_;  // positions
    std::string_view request_;
    std::optional<Error> damage_;
};

/// One failed sample per row.
Samples failures(std::span<const std::uint16_t> rows);

}  // namespace gateway::ascii
