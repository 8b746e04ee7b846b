#include "gateway/store/wear.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>

namespace gateway {

namespace {

constexpr std::uint64_t sector_bytes = 512;  ///< the unit of `stat`, whatever the device has
constexpr int sectors_written_column = 7;

std::uint64_t process_bytes()
{
    std::ifstream io("/proc/self/io");
    std::uint64_t bytes = 0;
    for (std::string key; io >> key >> bytes;) {
        if (key == "write_bytes:") {
            return bytes;
        }
    }
    return 0;
}

std::uint64_t device_bytes(const std::string& path)
{
    std::ifstream file(path);
    std::uint64_t number = 0;
    for (int column = 1; column <= sectors_written_column; ++column) {
        if (!(file >> number)) {
            return 0;
        }
    }
    return number * sector_bytes;
}

}  // namespace

std::optional<std::uint64_t> WrittenBytes::days_left(std::uint64_t rated_bytes) const
{
    const auto written = worn();
    if (days < 2 || written == 0) {
        return std::nullopt;
    }
    const auto left = rated_bytes - std::min(rated_bytes, written);
    return left / std::max<std::uint64_t>(written / days, 1);
}

Wear::Wear(const std::string& directory)
{
    struct stat about {};
    if (stat(directory.c_str(), &about) == 0) {
        device_ = "/sys/dev/block/" + std::to_string(major(about.st_dev)) + ":" +
                  std::to_string(minor(about.st_dev)) + "/stat";
        device_before_ = device_bytes(device_);
    }
    process_before_ = process_bytes();
}

void Wear::look(const ClockReading& clock)
{
    const auto process = process_bytes();
    const auto device = device_bytes(device_);
    // A device that was taken out counts from the beginning.
    const auto by_process = process - std::min(process, process_before_);
    const auto by_device = device - std::min(device, device_before_);
    process_before_ = process;
    device_before_ = device;
    const auto day = std::chrono::floor<std::chrono::days>(clock.wall).time_since_epoch().count();
    if (clock.state != ClockState::unset && day > day_) {
        written_.yesterday = day_ == 0 ? 0 : written_.today;
        if (day_ != 0) {
            written_.today = 0;
            written_.device_today = 0;
        }
        ++written_.days;
        day_ = day;
    }
    written_.today += by_process;
    written_.total += by_process;
    written_.device_today += by_device;
    written_.device_total += by_device;
}

std::string Wear::text() const
{
    std::ostringstream text;
    text << day_ << ' ' << written_.today << ' ' << written_.yesterday << ' ' << written_.total
         << ' ' << written_.device_today << ' ' << written_.device_total << ' ' << written_.days;
    return text.str();
}

void Wear::restore(const std::string& text)
{
    std::istringstream saved(text);
    WrittenBytes before;
    std::int64_t day = 0;
    saved >> day >> before.today >> before.yesterday >> before.total >> before.device_today >>
        before.device_total >> before.days;
    if (!saved || std::exchange(restored_, true)) {
        return;
    }
    written_.total += before.total;
    written_.device_total += before.device_total;
    if (day >= day_) {  // its day goes on
        written_.today += before.today;
        written_.device_today += before.device_today;
        written_.yesterday = before.yesterday;
        written_.days = before.days;
        day_ = day;
    } else {
        written_.yesterday = before.today;
        written_.days += before.days;
    }
}

}  // namespace gateway
