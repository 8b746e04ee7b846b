#pragma once

#include "gateway/core/reading.hpp"

#include <cstddef>
#include <cstdint>

namespace gateway {

/// What a batch is to the link, most urgent first.
enum class Urgency : std::uint8_t { urgent, live, history };

struct WindowSettings {
    unsigned messages = 20;                      ///< at most so many batches with the broker
    std::uint64_t history_bytes_per_second = 0;  ///< 0: no cap
};

/// What may be with the broker at once, in messages and bytes. Two places are kept for alarm and
/// control. History has at most what the link acknowledges in a second (and always one batch), so
/// that an alarm on a slow line waits no longer than that.
class Window {
public:
    explicit Window(WindowSettings settings) : settings_(settings) {}

    bool admits(Urgency urgency, std::size_t bytes, Instant now) const;
    void sent(Urgency urgency, std::size_t bytes, Instant now);
    void acknowledged(Urgency urgency, std::size_t bytes, Instant now);
    /// The broker complained of too much: from now on half as many.
    void halve();

    bool idle() const { return messages_ == 0; }
    std::size_t in_flight() const { return messages_; }
    /// When a configured cap lets the next history batch through; in the past: now.
    Instant history_opens() const { return history_opens_; }

private:
    std::size_t most_history_bytes() const;

    WindowSettings settings_;
    std::size_t messages_ = 0;
    std::size_t history_bytes_ = 0;
    double bytes_per_second_ = 0;  // acknowledged while something was in flight; 0: not known yet
    Instant measured_from_;
    std::size_t measured_bytes_ = 0;
    Instant history_opens_;
};

/// Sent and not receipted is bounded as a whole (protocol.md, section 5); the last tenth is kept
/// for alarm and control.
constexpr std::size_t most_unreceipted_batches = 1'000;
constexpr std::size_t most_unreceipted_bytes = 8'000'000;
bool may_stay_unreceipted(Urgency urgency, std::size_t batches, std::size_t bytes);

}  // namespace gateway
