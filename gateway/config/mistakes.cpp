#include "gateway/config/mistakes.hpp"

namespace gateway {

void Mistakes::add(const Place& place, std::string_view path, std::string_view what)
{
    std::string line = place.file;
    if (place.line != 0) {
        line += ':' + std::to_string(place.line) + ':' + std::to_string(place.column);
    }
    line += ": ";
    line += path;
    line += path.empty() ? "" : ": ";
    line += what;
    lines_.push_back(std::move(line));
}

void Mistakes::add(const Mistakes& other)
{
    lines_.insert(lines_.end(), other.lines_.begin(), other.lines_.end());
}

std::string Mistakes::text() const
{
    std::string all;
    for (const auto& line : lines_) {
        all += line;
        all += '\n';
    }
    return all;
}

}  // namespace gateway
