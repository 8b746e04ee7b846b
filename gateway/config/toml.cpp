#include "gateway/config/toml.hpp"

// The one home of toml++.
#include <toml++/toml.h>

#include <sstream>

namespace gateway {

namespace {

/// Copies a toml++ tree into settings.
class Copy {
public:
    Copy(const std::string& file, Mistakes& mistakes) : file_(file), mistakes_(mistakes) {}

    SettingTable table(const toml::table& from, const std::string& path)
    {
        SettingTable to;
        for (const auto& [key, node] : from) {
            const auto name = std::string(key.str());
            auto setting = value(node, below(path, name));
            setting.key_line = key.source().begin.line;
            setting.key_column = key.source().begin.column;
            to.emplace(name, std::move(setting));
        }
        return to;
    }

private:
    static std::string below(const std::string& path, const std::string& name)
    {
        return path.empty() ? name : path + '.' + name;
    }

    Setting value(const toml::node& node, const std::string& path)
    {
        Setting setting{.value = false, .place = place(node.source())};
        if (const auto* inner = node.as_table()) {
            setting.value = table(*inner, path);
        } else if (const auto* array = node.as_array()) {
            SettingList list;
            list.reserve(array->size());
            for (const auto& item : *array) {
                list.push_back(value(item, path + '[' + std::to_string(list.size() + 1) + ']'));
            }
            setting.value = std::move(list);
        } else if (const auto* text = node.as_string()) {
            setting.value = text->get();
        } else if (const auto* whole = node.as_integer()) {
            setting.value = whole->get();
        } else if (const auto* flag = node.as_boolean()) {
            setting.value = flag->get();
        } else if (const auto* number = node.as_floating_point()) {
            setting.value = fraction(number->get(), setting.place, path);
        } else {
            std::ostringstream text_of_date;
            node.visit([&](const auto& leaf) { text_of_date << leaf; });
            setting.value = text_of_date.str();
        }
        return setting;
    }

    Fraction fraction(double number, const Place& at, const std::string& path)
    {
        const auto exact = Fraction::from_double(number);
        if (!exact) {
            mistakes_.add(at, path,
                          "is not a number that can be held exactly; write a decimal of at most 18 "
                          "digits, or a text such as \"5/9\"");
        }
        return exact.value_or(Fraction{});
    }

    Place place(const toml::source_region& source) const
    {
        return {file_, source.begin.line, source.begin.column};
    }

    const std::string& file_;
    Mistakes& mistakes_;
};

}  // namespace

std::optional<SettingTable> parse_toml(std::string_view text, const std::string& file,
                                       Mistakes& mistakes)
{
    if (text.size() > longest_document) {
        mistakes.add({file}, {}, "is larger than 256 KB; split it");
        return std::nullopt;
    }
    try {
        const toml::table root = toml::parse(text);
        return Copy(file, mistakes).table(root, {});
    } catch (const toml::parse_error& error) {
        const auto at = error.source().begin;
        mistakes.add({file, at.line, at.column}, {},
                     "is not TOML: " + std::string(error.description()));
        return std::nullopt;
    }
}

}  // namespace gateway
