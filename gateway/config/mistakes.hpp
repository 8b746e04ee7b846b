#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gateway {

/// Where something stands in a file; line and column count from 1, 0 = not known.
struct Place {
    std::string file;
    std::uint32_t line = 0;
    std::uint32_t column = 0;
};

/// Every mistake of a document, collected so that all are reported in one go.
class Mistakes {
public:
    static constexpr std::size_t most = 1000;  ///< more are not kept

    /// `path` names the key (`device[2].period`), `what` says what is wrong and what to write
    /// instead.
    void add(const Place& place, std::string_view path, std::string_view what);
    void add(const Mistakes& other);
    bool empty() const { return lines_.empty(); }
    bool full() const { return lines_.size() >= most; }
    /// `gateway.toml:31:10: device[2].period: "5" is not a duration; write "5s"`, by place within a
    /// file.
    const std::vector<std::string>& lines() const { return lines_; }
    std::string text() const;  ///< all lines, each ended by a newline

private:
    std::vector<std::string> lines_;
    std::vector<Place> places_;  ///< of the lines
};

}  // namespace gateway
