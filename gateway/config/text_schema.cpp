// What one key of a driver of texts cannot say alone.
#include "gateway/config/driver_schema.hpp"

#include <algorithm>
#include <cstddef>

namespace gateway {

namespace {

constexpr std::ptrdiff_t most_stars = 4;

auto stars(const std::string& path)
{
    return std::ranges::count(path, '*');
}

}  // namespace

bool is_below(std::string_view text)
{
    if (text.empty() || text.front() == '/' || text.back() == '/' ||
        std::ranges::count(text, '*') > most_stars) {
        return false;
    }
    while (!text.empty()) {
        const auto part = text.substr(0, text.find('/'));
        text.remove_prefix(std::min(part.size() + 1, text.size()));
        if (part.empty() || part == "." || part == ".." || std::ranges::count(part, '*') > 1 ||
            part.find('\0') != std::string_view::npos) {
            return false;
        }
    }
    return true;
}

void check_sysfs_read(const SettingTable& read, const Field& field)
{
    const auto file = get<std::string>(read, "file", {});
    const auto beside = [&](const std::string& other, const std::string& key) {
        if (stars(other) > stars(file)) {
            field.mistake(key + " has more stars than file; each stands for one of file's");
        }
    };
    beside(get<std::string>(read, "times", {}), "times");
    beside(get<std::string>(read, "plus", {}), "plus");
    for (const auto& item : get(read, "where", SettingList{})) {
        if (const auto* where = std::get_if<SettingTable>(&item.value)) {
            beside(get<std::string>(*where, "file", {}), "where.file");
        }
    }
    const auto pick = get<std::string>(read, "pick", {});
    if (!pick.empty() && stars(file) == 0) {
        field.mistake("pick chooses among the files that a star finds; file has none");
    }
    const auto type = get<std::string>(read, "type", {});
    if ((read.contains("times") || read.contains("plus")) && type != "float64") {
        field.mistake("times and plus make a broken number; write type = \"float64\"");
    }
    if ((pick == "lowest" || pick == "highest") && type == "text") {
        field.mistake("the " + pick + " of texts is not defined; write pick = \"first\"");
    }
}

bool is_zone(std::string_view text)
{
    constexpr std::string_view shape = "+00:00";
    const auto fits = [](char given, char wanted) {
        return wanted == '0' ? given >= '0' && given <= '9'
                             : given == wanted || (wanted == '+' && given == '-');
    };
    return std::ranges::equal(text, shape, fits);
}

void check_ascii_read(const SettingTable& read, const Field& field)
{
    const auto type = get<std::string>(read, "type", "float64");
    const bool whole = type == "int64" || type == "hex";
    if (const auto* bits = find(read, "bits")) {
        const auto& list = std::get<SettingList>(bits->value);
        const auto number = [&list](std::size_t i) {
            return std::get<std::int64_t>(list[i].value);
        };
        if (!whole) {
            field.mistake("bits belong to type = \"int64\" or \"hex\"");
        } else if (list.size() != 2 || number(0) > number(1)) {
            field.mistake("bits is not a range; write [lowest bit, highest]");
        }
    }
    if (get<std::string>(read, "part", {}) == "unit" && type != "text") {
        field.mistake("a unit is a text; write type = \"text\"");
    }
    if (read.contains("suffix") && type != "int64" && type != "float64") {
        field.mistake("suffix stands behind a number; type is " + type);
    }
}

}  // namespace gateway
