#pragma once

#include "gateway/core/reading.hpp"

#include <algorithm>
#include <random>

namespace gateway {

struct BackoffSettings {
    Duration first = std::chrono::seconds(1);
    Duration most = std::chrono::seconds(300);
    Duration stable = std::chrono::seconds(60);  ///< a session this long starts afresh
};

/// When to try again: random over a span that doubles with every failure, so that a fleet which
/// lost its broker in one instant comes back spread.
class Backoff {
public:
    explicit Backoff(BackoffSettings settings) : settings_(settings), span_(settings.first) {}

    void connected_for(Duration time)
    {
        if (time >= settings_.stable) {
            start_afresh();
        }
    }
    void start_afresh() { span_ = settings_.first; }
    Duration next()
    {
        std::uniform_int_distribution<Duration::rep> choose(0, span_.count());
        span_ = std::min(span_ * 2, settings_.most);
        return Duration(choose(random_));
    }
    /// Where trying soon does harm: the longest span, in its second half.
    Duration longest()
    {
        span_ = settings_.most;
        return settings_.most / 2 + next() / 2;
    }

private:
    BackoffSettings settings_;
    Duration span_;
    std::mt19937_64 random_{std::random_device{}()};
};

}  // namespace gateway
