#pragma once

#include "gateway/config/mistakes.hpp"
#include "gateway/core/fraction.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace gateway {

struct Setting;
using SettingList = std::vector<Setting>;
using SettingTable = std::map<std::string, Setting, std::less<>>;

/// A value that belongs to a driver (`[transport]`, `read`, `connect`). Its keys and types were
/// checked against the driver's closed schema (`driver_schema`), so a driver's `make` only converts
/// it. A TOML float arrives as the fraction of its shortest decimal, a duration as its text.
struct Setting {
    std::variant<bool, std::int64_t, Fraction, std::string, SettingList, SettingTable> value;
    Place place;
    std::uint32_t key_line = 0;  ///< where its key stands in the same file; 0 in a list
    std::uint32_t key_column = 0;

    /// Where it stands does not matter.
    friend bool operator==(const Setting& left, const Setting& right)
    {
        return left.value == right.value;
    }
};

/// Null when absent.
inline const Setting* find(const SettingTable& table, std::string_view key)
{
    const auto at = table.find(key);
    return at == table.end() ? nullptr : &at->second;
}

/// The typed value of `key`, or `otherwise` when the key is absent or of another type.
template <typename T>
T get(const SettingTable& table, std::string_view key, T otherwise)
{
    const auto* setting = find(table, key);
    const auto* value = setting == nullptr ? nullptr : std::get_if<T>(&setting->value);
    return value == nullptr ? otherwise : *value;
}

}  // namespace gateway
