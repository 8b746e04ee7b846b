#include "gateway/config/reader.hpp"

#include <algorithm>
#include <array>

namespace gateway {

namespace {

bool is_secret_key(std::string_view key)
{
    static constexpr std::array<std::string_view, 8> names{
        "password", "passwd", "passphrase", "token", "api_key", "apikey", "community", "psk"};
    return std::ranges::find(names, key) != names.end();
}

}  // namespace

Table::Table(const SettingTable& table, Place place, std::string path, Mistakes& mistakes)
    : table_(table), place_(std::move(place)), path_(std::move(path)), mistakes_(mistakes)
{
}

Table::~Table()
{
    for (const auto& [key, setting] : table_) {
        if (open_ || mistakes_.full() || std::ranges::find(known_, key) != known_.end()) {
            continue;
        }
        std::string what = "unknown key";
        if (is_secret_key(key)) {
            what =
                "a secret does not belong in this file; write secret = \"NAME\" and put it into "
                "the file secrets/NAME (mode 0600)";
        } else if (const auto near = nearest(key, known_); !near.empty()) {
            what += "; write \"" + std::string(near) + "\"";
        } else {
            what += known_.empty() ? "" : "; known here: " + quote(known_);
        }
        mistakes_.add({setting.place.file, setting.key_line, setting.key_column},
                      path_.empty() ? key : path_ + '.' + key, what);
    }
}

Field Table::operator[](std::string_view key)
{
    known_.push_back(key);
    const auto* setting = find(table_, key);
    return {setting, setting == nullptr ? place_ : setting->place,
            path_.empty() ? std::string(key) : path_ + '.' + std::string(key), mistakes_};
}

Field Table::need(std::string_view key, std::string_view write)
{
    auto field = (*this)[key];
    if (!field) {
        field.mistake(write.empty() ? "is missing" : "is missing; write " + std::string(write));
    }
    return field;
}

}  // namespace gateway
