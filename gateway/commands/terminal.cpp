#include "gateway/commands/terminal.hpp"

#include <unistd.h>

#include <cstdlib>
#include <iostream>

namespace gateway {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 2s;

bool is_set(const char* name)
{
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread
    return value != nullptr && *value != 0;
}

bool shows_colours()
{
    const char* terminal = std::getenv("TERM");  // NOLINT(concurrency-mt-unsafe): one thread
    return isatty(STDOUT_FILENO) == 1 && !is_set("NO_COLOR") && terminal != nullptr &&
           std::string_view(terminal) != "dumb";
}

}  // namespace

std::string painted(Colour colour, std::string_view text)
{
    static const bool colours = shows_colours();
    if (!colours) {
        return std::string(text);
    }
    const auto code = [colour] {
        switch (colour) {
            case Colour::green:
                return "\033[1;32m";
            case Colour::red:
                return "\033[1;31m";
            case Colour::yellow:
                return "\033[33m";
            case Colour::faint:
                return "\033[2m";
        }
        return "";
    };
    return code() + std::string(text) + "\033[0m";
}

void Progress::say(std::string_view text)
{
    const auto now = std::chrono::steady_clock::now();
    const bool terminal = isatty(STDERR_FILENO) == 1;
    if (now - begun_ < patience || text == said_ ||
        (!terminal && !said_.empty() && now - last_ < patience)) {
        return;
    }
    said_ = text;
    last_ = now;
    if (terminal) {
        std::cerr << "\r\033[K" << text << std::flush;
    } else {
        std::cerr << text << std::endl;
    }
}

Progress::~Progress()
{
    if (!said_.empty() && isatty(STDERR_FILENO) == 1) {
        std::cerr << "\r\033[K" << std::flush;
    }
}

}  // namespace gateway
