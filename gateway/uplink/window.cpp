#include "gateway/uplink/window.hpp"

#include <algorithm>

namespace gateway {

namespace {

constexpr std::size_t reserved = 2;
// Before the link was measured: some seconds of a slow one.
constexpr std::size_t first_history_bytes = 4'096;
constexpr std::size_t most_history_bytes_ever = 2'097'152;
constexpr std::chrono::milliseconds shortest_measure{250};

double seconds(Duration duration)
{
    return std::chrono::duration<double>(duration).count();
}

}  // namespace

bool Window::admits(Urgency urgency, std::size_t bytes, Instant now) const
{
    const std::size_t most = settings_.messages;
    const std::size_t shared = most > reserved ? most - reserved : 1;
    switch (urgency) {
        case Urgency::urgent:
            return messages_ < most;
        case Urgency::live:
            return messages_ < shared;
        case Urgency::history:
            break;
    }
    return messages_ < shared && now >= history_opens_ &&
           (history_bytes_ == 0 || history_bytes_ + bytes <= most_history_bytes());
}

std::size_t Window::most_history_bytes() const
{
    if (bytes_per_second_ <= 0) {
        return first_history_bytes;
    }
    const auto in_a_second = std::min(bytes_per_second_, double{most_history_bytes_ever});
    return static_cast<std::size_t>(in_a_second);
}

void Window::sent(Urgency urgency, std::size_t bytes, Instant now)
{
    if (messages_++ == 0) {
        measured_from_ = now;
        measured_bytes_ = 0;
    }
    if (urgency == Urgency::history) {
        history_bytes_ += bytes;
        if (const auto cap = settings_.history_bytes_per_second; cap > 0) {
            const std::chrono::duration<double> cost(static_cast<double>(bytes) /
                                                     static_cast<double>(cap));
            history_opens_ =
                std::max(history_opens_, now) + std::chrono::duration_cast<Duration>(cost);
        }
    }
}

void Window::acknowledged(Urgency urgency, std::size_t bytes, Instant now)
{
    messages_ -= std::min<std::size_t>(messages_, 1);
    if (urgency == Urgency::history) {
        history_bytes_ -= std::min(history_bytes_, bytes);
    }
    measured_bytes_ += bytes;
    const auto elapsed = now - measured_from_;
    if (elapsed >= shortest_measure || (messages_ == 0 && elapsed > Duration::zero())) {
        const auto rate = static_cast<double>(measured_bytes_) / seconds(elapsed);
        bytes_per_second_ = bytes_per_second_ <= 0 ? rate : (bytes_per_second_ + rate) / 2;
        measured_from_ = now;
        measured_bytes_ = 0;
    }
}

void Window::halve()
{
    settings_.messages = std::max(settings_.messages / 2, 1U);
}

bool may_stay_unreceipted(Urgency urgency, std::size_t batches, std::size_t bytes)
{
    const bool all = urgency == Urgency::urgent;
    return batches < (all ? most_unreceipted_batches : most_unreceipted_batches / 10 * 9) &&
           bytes < (all ? most_unreceipted_bytes : most_unreceipted_bytes / 10 * 9);
}

}  // namespace gateway
