#pragma once

#include "gateway/config/literal.hpp"
#include "gateway/config/mistakes.hpp"
#include "gateway/config/setting.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gateway {

/// A value as a mistake quotes it: `"5"`, `7`, `true`, `a list`.
std::string quote(const Setting& setting);
/// `"a", "b"`
std::string quote(const std::vector<std::string_view>& names);

template <typename T>
using Choices = std::vector<std::pair<std::string_view, T>>;

class Table;

/// One key, absent or present. A typed read changes its target only when the value is right;
/// otherwise it is a mistake. Absent is no mistake. The targets may be optionals.
class Field {
public:
    Field(const Setting* setting, Place place, std::string path, Mistakes& mistakes);

    explicit operator bool() const { return setting_ != nullptr; }
    const Setting* setting() const { return setting_; }
    const std::string& path() const { return path_; }
    const Place& place() const { return place_; }
    Mistakes& mistakes() const { return *mistakes_; }
    void mistake(std::string_view what) const { mistakes_->add(place_, path_, what); }

    std::optional<bool> as_flag() const;
    std::optional<std::string> as_text(const Format& format, std::size_t most) const;
    std::optional<std::int64_t> as_integer(std::int64_t low, std::int64_t high) const;
    std::optional<Duration> as_duration(Duration low, Duration high) const;
    std::optional<std::uint64_t> as_bytes() const;
    std::optional<Fraction> as_fraction() const;  ///< an integer, a decimal, or "5/9"
    std::optional<Fraction> as_percent() const;
    std::optional<std::array<Fraction, 2>> as_range() const;  ///< [low, high], low < high
    std::vector<Field> items(std::size_t most = 512) const;   ///< of a list
    const SettingTable* as_table() const;

    void flag(auto& out) const { set(out, as_flag()); }
    void text(auto& out, const Format& format = any_text, std::size_t most = 160) const
    {
        set(out, as_text(format, most));
    }
    /// `low` to `high`.
    template <typename T>
    void integer(T& out, std::int64_t low, std::int64_t high) const
    {
        if (const auto number = as_integer(low, high)) {
            out = static_cast<T>(*number);
        }
    }
    void duration(auto& out, Duration low = Duration::zero(), Duration high = Duration::max()) const
    {
        set(out, as_duration(low, high));
    }
    void bytes(auto& out) const { set(out, as_bytes()); }
    void fraction(auto& out) const { set(out, as_fraction()); }
    void percent(auto& out) const { set(out, as_percent()); }
    void range(auto& low, auto& high) const
    {
        if (const auto both = as_range()) {
            low = both->front();
            high = both->back();
        }
    }
    void texts(std::vector<std::string>& out, const Format& format = any_text) const;
    template <typename T>
    void choice(T& out, const Choices<std::type_identity_t<T>>& choices) const;
    /// `read(Table&)` reads the keys of this table.
    void table(auto&& read) const;
    /// `read(Table&)` reads each table of this list.
    void tables(auto&& read, std::size_t most = 512) const;

private:
    template <typename T, typename V>
    static void set(T& out, std::optional<V>&& value)
    {
        if (value) {
            out = std::move(*value);
        }
    }
    void wrong(std::string_view what) const;  ///< the value quoted, then `what`
    void not_one_of(const std::vector<std::string_view>& names) const;

    const Setting* setting_;
    Place place_;  ///< of the value; of the table when absent
    std::string path_;
    Mistakes* mistakes_;
};

}  // namespace gateway
