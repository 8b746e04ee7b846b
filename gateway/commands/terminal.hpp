#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace gateway {

enum class Colour { green, red, yellow, faint };

/// The text in a colour when standard output is a terminal that shows some, else as it is.
/// NO_COLOR, or TERM=dumb, switches them off.
std::string painted(Colour colour, std::string_view text);

/// Tells on standard error how far something is that takes more than two seconds: one line that
/// changes on a terminal, else a line for each change, at most one in two seconds.
class Progress {
public:
    Progress() = default;
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    /// Takes the line away.
    ~Progress();

    void say(std::string_view text);

private:
    std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
    std::chrono::steady_clock::time_point last_ = begun_;
    std::string said_;
};

}  // namespace gateway
