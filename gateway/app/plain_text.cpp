#include "gateway/app/plain_text.hpp"

#include "gateway/uplink/utc.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace gateway {

std::string bytes_text(std::uint64_t bytes)
{
    constexpr std::array<const char*, 4> units{"B", "KiB", "MiB", "GiB"};
    double number = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; number >= 1024 && unit + 1 < units.size(); ++unit) {
        number /= 1024;
    }
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", number, units[unit]);
    return text.data();
}

std::string ago_text(Duration age)
{
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
    if (seconds < 120) {
        return std::to_string(seconds) + " s";
    }
    if (seconds < 7'200) {
        return std::to_string(seconds / 60) + " min";
    }
    constexpr std::int64_t hour = 3'600, day = 24 * hour;
    return seconds < 2 * day ? std::to_string(seconds / hour) + " h"
                             : std::to_string(seconds / day) + " days";
}

std::string local_text(WallTime time)
{
    const auto seconds = std::chrono::system_clock::to_time_t(
        std::chrono::system_clock::time_point(time.time_since_epoch()));
    tm parts{};
    std::array<char, 40> text{};
    if (localtime_r(&seconds, &parts) == nullptr ||
        std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S %z", &parts) == 0) {
        return utc_text(time);
    }
    return text.data();
}

}  // namespace gateway
