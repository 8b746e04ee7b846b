#include "drivers/ascii/hearing.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

namespace gateway::ascii {

void Hearing::give_up(Cause cause)
{
    for (const auto position : open_) {
        samples_[position].quality = Quality::comm_error;
        samples_[position].cause = cause;
    }
    open_.clear();
    damage_.reset();
}

void Hearing::want_all()
{
    open_.resize(samples_.size());
    std::iota(open_.begin(), open_.end(), std::size_t{0});
}

void Hearing::leave_out()
{
    std::ranges::sort(open_, std::greater());
    for (const auto position : open_) {
        samples_.erase(samples_.begin() + static_cast<std::ptrdiff_t>(position));
    }
    open_.clear();
}

bool Hearing::take(std::string_view line)
{
    const bool echo = map_.settings.echo && trimmed(line) == request_;
    if (echo || is_skipped(map_.grammar, line)) {
        return false;
    }
    const auto body = body_of(map_.grammar, line);
    if (!body) {
        damaged(body.error());
        return false;
    }
    const auto time = map_.clock ? time_in(*map_.clock, *body) : std::nullopt;
    const auto taken = [&](std::size_t position) {
        auto& sample = samples_[position];
        auto found = sample_in(sources_[sample.row], map_.grammar, *body);
        if (!found) {
            return false;
        }
        found->row = sample.row;
        found->device_time = time;
        sample = std::move(*found);
        return true;
    };
    return std::erase_if(open_, taken) > 0;
}

Samples failures(std::span<const std::uint16_t> rows)
{
    Samples samples;
    samples.reserve(rows.size());
    for (const auto row : rows) {
        samples.push_back({.row = row, .raw = {}, .quality = Quality::comm_error});
    }
    return samples;
}

}  // namespace gateway::ascii
