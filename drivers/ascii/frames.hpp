#pragma once

#include "gateway/core/result.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace gateway::ascii {

/// Cuts a stream of bytes into lines. Garbage before a start is passed over, a line that grows too
/// long is dropped up to its end, and the one behind it is whole again. Memory is bounded.
class Frames {
public:
    /// `start`: what a line begins with; empty: anything. `end`: what it ends with; empty: CR, LF
    /// or NUL, any of them, and empty lines are none. `longest`: of a line, with its start.
    Frames(std::string start, std::string end, std::size_t longest);

    /// Forgets what has come so far. `cut`: the stream is entered in the middle, so that what comes
    /// before the first end or start is no line.
    void clear(bool cut);
    void add(std::string_view bytes);
    /// The next whole line, with its start and without its end, valid until the next call of a
    /// member; Fault::too_large once for each line that was dropped. Nothing: more bytes are
    /// needed.
    std::optional<Result<std::string_view>> next();
    /// What has come of a line that has no end yet.
    std::size_t pending() const { return buffer_.size() - taken_; }
    /// Takes what has come as a line: for devices that end a line by being silent.
    void end_here();

private:
    struct End {
        std::size_t at = std::string::npos;
        std::size_t size = 0;
    };
    End find_end() const;
    /// The line from its start on; nothing when it has none.
    std::optional<std::string_view> from_start(std::string_view line) const;
    /// Bounds what waits for its end.
    void shed();

    std::string start_, end_;
    std::size_t longest_;
    std::string buffer_;
    std::size_t taken_ = 0;  // bytes of the buffer that lines have accounted for
    bool dropping_ = false;  // up to the next end
    bool told_ = true;       // of the line that is being dropped
};

}  // namespace gateway::ascii
