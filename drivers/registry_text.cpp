#include "drivers/registry_text.hpp"

#include "drivers/sysfs/driver.hpp"
#include "drivers/sysfs/example.hpp"

#include <map>
#include <utility>

namespace gateway {

namespace {

using Rows = std::vector<std::uint16_t>;

std::map<Duration, Rows> rows_by_poll(const Profile& profile)
{
    std::map<Duration, Rows> rows;
    for (std::size_t row = 0; row < profile.points.size(); ++row) {
        rows[profile.points[row].poll].push_back(static_cast<std::uint16_t>(row));
    }
    return rows;
}

std::string names_of(const Profile& profile, const Rows& rows)
{
    std::string names;
    for (const auto row : rows) {
        names += (names.empty() ? "" : ", ") + profile.points[row].id;
    }
    return names;
}

}  // namespace

std::unique_ptr<Driver> make_sysfs(const DeviceConfig& device, const DriverContext& context,
                                   Mistakes& mistakes)
{
    Mistakes own;
    auto map = sysfs::read_map(*device.profile, own);
    mistakes.add(own);
    return own.empty()
               ? std::make_unique<sysfs::SysfsDriver>(
                     context.files, get(device.site.connect, "path", std::string()), std::move(map))
               : nullptr;
}

void check_sysfs(const Profile& profile, Mistakes& mistakes)
{
    sysfs::read_map(profile, mistakes);
}

std::vector<std::string> run_sysfs_examples(const Profile& profile)
{
    Mistakes mistakes;
    const auto map = sysfs::read_map(profile, mistakes);
    return mistakes.empty() ? sysfs::run_examples(profile, map) : mistakes.lines();
}

std::vector<PlannedRequest> describe_sysfs(const Profile& profile)
{
    Mistakes mistakes;
    const auto map = sysfs::read_map(profile, mistakes);
    std::vector<PlannedRequest> requests;
    for (const auto& [poll, due] : rows_by_poll(profile)) {
        for (const auto& rows : sysfs::by_files(map.points, due)) {
            requests.push_back(
                {.poll = poll,
                 .text = map.points[rows.front()].file + ": " + names_of(profile, rows)});
        }
    }
    return requests;
}

}  // namespace gateway
