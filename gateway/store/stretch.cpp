#include "gateway/store/stretch.hpp"

#include <algorithm>
#include <chrono>

namespace gateway {

namespace {

constexpr double below = 1.25;           ///< so much below the rate that is allowed, to recover
constexpr double saved_to_relax = 0.05;  ///< of a day's allowance

}  // namespace

Stretch::Stretch(std::uint64_t bytes_per_day)
    : bytes_per_day_(static_cast<double>(bytes_per_day)), allowance_(bytes_per_day_)
{
}

double Stretch::update(std::uint64_t written, Instant now)
{
    const auto before = last_;
    last_ = Look{written, now};
    if (bytes_per_day_ <= 0 || !before || now <= before->when) {
        return factor_;
    }
    const std::chrono::duration<double, std::ratio<86'400>> passed = now - before->when;
    const auto allowed = bytes_per_day_ * passed.count();
    const auto spent = static_cast<double>(written - std::min(written, before->written));
    allowance_ = std::clamp(allowance_ + allowed - spent, 0.0, bytes_per_day_);
    if (allowance_ <= 0) {
        factor_ = std::clamp(factor_ * below * spent / allowed, factor_, most);
    } else if (allowance_ > bytes_per_day_ * saved_to_relax) {
        factor_ = std::max(1.0, factor_ / below);
    }
    return factor_;
}

}  // namespace gateway
