#include "drivers/ascii/frames.hpp"

#include <algorithm>
#include <utility>

namespace gateway::ascii {

namespace {

constexpr std::string_view usual_ends("\r\n\0", 3);

}  // namespace

Frames::Frames(std::string start, std::string end, std::size_t longest)
    : start_(std::move(start)), end_(std::move(end)), longest_(longest)
{
}

void Frames::clear(bool cut)
{
    buffer_.clear();
    taken_ = 0;
    dropping_ = cut && start_.empty();
    told_ = true;
}

void Frames::add(std::string_view bytes)
{
    buffer_.erase(0, std::exchange(taken_, 0));
    buffer_.append(bytes);
}

void Frames::end_here()
{
    if (pending() > 0) {
        buffer_ += end_.empty() ? std::string_view("\n") : std::string_view(end_);
    }
}

Frames::End Frames::find_end() const
{
    const auto at =
        end_.empty() ? buffer_.find_first_of(usual_ends, taken_) : buffer_.find(end_, taken_);
    return {.at = at, .size = end_.empty() ? 1 : end_.size()};
}

std::optional<std::string_view> Frames::from_start(std::string_view line) const
{
    // The last start: a line that was cut off may run into the next one.
    const auto at = start_.empty() ? 0 : line.rfind(start_);
    return at == std::string_view::npos ? std::nullopt : std::optional(line.substr(at));
}

std::optional<Result<std::string_view>> Frames::next()
{
    for (auto end = find_end(); end.at != std::string::npos; end = find_end()) {
        const auto whole = std::string_view(buffer_).substr(taken_, end.at - taken_);
        taken_ = end.at + end.size;
        const auto line = from_start(whole);
        const bool dropped = std::exchange(dropping_, false) && (start_.empty() || !line);
        const bool told = std::exchange(told_, true);
        if (dropped && !told) {
            return Fault::too_large;
        }
        if (dropped || !line || line->size() == start_.size()) {
            continue;
        }
        if (line->size() > longest_) {
            return Fault::too_large;
        }
        return *line;
    }
    if (pending() > longest_ + end_.size()) {
        shed();
    }
    return std::nullopt;
}

void Frames::shed()
{
    const auto start = start_.empty() ? taken_ : buffer_.rfind(start_);
    const bool begun = start != std::string::npos && start >= taken_;
    if (begun && buffer_.size() - start <= longest_) {
        taken_ = start;  // what stands before it is garbage
        return;
    }
    if (begun && !std::exchange(dropping_, true)) {
        told_ = false;
    }
    // What goes may end with half of an end or of a start.
    taken_ = buffer_.size() - std::min(std::max(start_.size(), end_.size()), pending());
}

}  // namespace gateway::ascii
