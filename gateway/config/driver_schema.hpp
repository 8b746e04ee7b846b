#pragma once

#include "gateway/config/rule.hpp"

#include <span>
#include <string_view>

namespace gateway {

/// What a driver's tables may hold in a profile and in a site file. A new driver is a new row.
struct DriverSchema {
    std::string_view name;
    std::string_view kind;  ///< what a point is read as when its `read` has no `type`
    bool polled = true;     ///< every point needs `poll`
    Form transport;         ///< beside `driver`
    Forms read;
    Forms identify;
    Forms connect;               ///< of the site file
    Form example;                ///< beside `expect`
    std::string_view row_key{};  ///< the number in a `read` that `each.step` moves
    /// What one key cannot say alone; may be null. `field` is where a mistake belongs.
    void (*check_read)(const SettingTable& read, const Field& field) = nullptr;
    void (*check_connect)(const SettingTable& transport, const SettingTable& connect,
                          const Field& field) = nullptr;
};

std::span<const DriverSchema> driver_schemas();
/// Null when there is no such driver.
const DriverSchema* driver_schema(std::string_view name);

void check_modbus_read(const SettingTable& read, const Field& field);
void check_modbus_connect(const SettingTable& transport, const SettingTable& connect,
                          const Field& field);
/// Whether a text is a path below another one, with at most one star in each of its parts.
bool is_below(std::string_view text);
void check_sysfs_read(const SettingTable& read, const Field& field);
/// Whether a text is a time zone: "+01:00".
bool is_zone(std::string_view text);
void check_ascii_read(const SettingTable& read, const Field& field);
void check_sunspec_read(const SettingTable& read, const Field& field);
/// How many registers, or bits of a bit table, a checked Modbus read spans.
std::int64_t modbus_width(const SettingTable& read);

}  // namespace gateway
