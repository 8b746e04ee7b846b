#pragma once

#include "gateway/config/field.hpp"

#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace gateway {

/// The keys of one table. What nobody asked for by the end of its life is an unknown key: a
/// mistake.
class Table {
public:
    Table(const SettingTable& table, Place place, std::string path, Mistakes& mistakes);
    Table(const Table&) = delete;
    Table& operator=(const Table&) = delete;
    ~Table();

    Field operator[](std::string_view key);
    /// Absent is a mistake; `write` says what to write.
    Field need(std::string_view key, std::string_view write = {});
    /// Any key is right from here on.
    void accept_all() { open_ = true; }
    const SettingTable& settings() const { return table_; }
    const Place& place() const { return place_; }
    const std::string& path() const { return path_; }
    void mistake(std::string_view what) const { mistakes_.add(place_, path_, what); }

private:
    const SettingTable& table_;
    Place place_;
    std::string path_;
    Mistakes& mistakes_;
    std::vector<std::string_view> known_;
    bool open_ = false;
};

template <typename T>
void Field::choice(T& out, const Choices<std::type_identity_t<T>>& choices) const
{
    if (setting_ == nullptr) {
        return;
    }
    const auto* name = std::get_if<std::string>(&setting_->value);
    std::vector<std::string_view> names;
    for (const auto& [known, value] : choices) {
        if (name != nullptr && *name == known) {
            out = value;
            return;
        }
        names.push_back(known);
    }
    not_one_of(names);
}

void Field::table(auto&& read) const
{
    if (const auto* inner = as_table()) {
        Table keys(*inner, place_, path_, *mistakes_);
        read(keys);
    }
}

void Field::tables(auto&& read, std::size_t most) const
{
    for (const auto& item : items(most)) {
        item.table(read);
    }
}

}  // namespace gateway
