#include "gateway/config/mistakes.hpp"

#include <iterator>
#include <utility>

namespace gateway {

void Mistakes::add(const Place& place, std::string_view path, std::string_view what)
{
    if (full()) {
        return;
    }
    std::string line = place.file;
    if (place.line != 0) {
        line += ':' + std::to_string(place.line) + ':' + std::to_string(place.column);
    }
    line += ": ";
    line += path;
    line += path.empty() ? "" : ": ";
    line += what;

    auto at = places_.size();
    while (at > 0 && places_[at - 1].file == place.file &&
           std::pair(places_[at - 1].line, places_[at - 1].column) >
               std::pair(place.line, place.column)) {
        --at;
    }
    places_.insert(std::next(places_.begin(), static_cast<std::ptrdiff_t>(at)), place);
    lines_.insert(std::next(lines_.begin(), static_cast<std::ptrdiff_t>(at)), std::move(line));
}

void Mistakes::add(const Mistakes& other)
{
    lines_.insert(lines_.end(), other.lines_.begin(), other.lines_.end());
    places_.insert(places_.end(), other.places_.begin(), other.places_.end());
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
