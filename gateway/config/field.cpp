#include "gateway/config/field.hpp"

#include <algorithm>

namespace gateway {

namespace {

std::string in_quotes(std::string_view text)
{
    constexpr std::size_t longest = 60;
    std::string out = "\"";
    auto shown = text.substr(0, longest);
    while (shown.size() < text.size() && !shown.empty() &&
           (static_cast<unsigned char>(text[shown.size()]) & 0xC0U) == 0x80U) {
        shown.remove_suffix(1);  // never half a character
    }
    for (const char letter : shown) {
        out += static_cast<unsigned char>(letter) < 0x20 || letter == 0x7F ? '?' : letter;
    }
    return out + (shown.size() < text.size() ? "…\"" : "\"");
}

}  // namespace

std::string quote(const std::vector<std::string_view>& names)
{
    std::string all;
    for (const auto name : names) {
        all += all.empty() ? "\"" : ", \"";
        all += name;
        all += '"';
    }
    return all;
}

std::string quote(const Setting& setting)
{
    struct Visitor {
        std::string operator()(bool flag) const { return flag ? "true" : "false"; }
        std::string operator()(std::int64_t number) const { return std::to_string(number); }
        std::string operator()(const Fraction& number) const { return number.text(); }
        std::string operator()(const std::string& text) const { return in_quotes(text); }
        std::string operator()(const SettingList&) const { return "a list"; }
        std::string operator()(const SettingTable&) const { return "a table"; }
    };
    return std::visit(Visitor{}, setting.value);
}

Field::Field(const Setting* setting, Place place, std::string path, Mistakes& mistakes)
    : setting_(setting), place_(std::move(place)), path_(std::move(path)), mistakes_(&mistakes)
{
}

void Field::wrong(std::string_view what) const
{
    mistake(quote(*setting_) + ' ' + std::string(what));
}

void Field::not_one_of(const std::vector<std::string_view>& names) const
{
    const auto* text = std::get_if<std::string>(&setting_->value);
    const auto near = text == nullptr ? std::string_view{} : nearest(*text, names);
    if (names.size() == 1 || near.empty()) {
        wrong("is not allowed here; write " + std::string(names.size() == 1 ? "" : "one of ") +
              quote(names));
    } else {
        wrong("is not allowed here; write \"" + std::string(near) + "\" (one of " + quote(names) +
              ")");
    }
}

std::optional<bool> Field::as_flag() const
{
    if (setting_ == nullptr) {
        return std::nullopt;
    }
    const auto* flag = std::get_if<bool>(&setting_->value);
    if (flag == nullptr) {
        wrong("is not a yes or no; write true or false");
        return std::nullopt;
    }
    return *flag;
}

std::optional<std::string> Field::as_text(const Format& format, std::size_t most) const
{
    if (setting_ == nullptr) {
        return std::nullopt;
    }
    const auto* text = std::get_if<std::string>(&setting_->value);
    if (text == nullptr) {
        wrong("is not a text; write it in quotes");
    } else if (text->empty() && &format != &pointer_format) {  // "" points to the whole document
        wrong("is empty; write a text or leave the key out");
    } else if (text->size() > most) {
        wrong("is too long; write at most " + std::to_string(most) + " bytes");
    } else if (!format.fits(*text)) {
        wrong("is not " + std::string(format.name));
    } else {
        return *text;
    }
    return std::nullopt;
}

std::optional<std::int64_t> Field::as_integer(std::int64_t low, std::int64_t high) const
{
    if (setting_ == nullptr) {
        return std::nullopt;
    }
    const auto* number = std::get_if<std::int64_t>(&setting_->value);
    if (number == nullptr || *number < low || *number > high) {
        wrong(std::string(number == nullptr ? "is not a whole number" : "is out of range") +
              "; write one from " + std::to_string(low) + " to " + std::to_string(high));
        return std::nullopt;
    }
    return *number;
}

std::optional<Duration> Field::as_duration(Duration low, Duration high) const
{
    if (setting_ == nullptr) {
        return std::nullopt;
    }
    const auto* text = std::get_if<std::string>(&setting_->value);
    const auto duration = text == nullptr ? std::nullopt : parse_duration(*text);
    if (!duration) {
        const auto bare = text == nullptr ? quote(*setting_) : *text;
        const bool digits = !bare.empty() && bare.size() < 7 &&
                            bare.find_first_not_of("0123456789") == std::string::npos;
        wrong("is not a duration; write " +
              (digits ? '"' + bare + "s\"" : "a whole number with ms, s, m, h or d, as in \"5s\""));
    } else if (*duration < low || *duration > high) {
        wrong(*duration < low ? "is too short for this" : "is too long for this");
    } else {
        return duration;
    }
    return std::nullopt;
}

std::optional<std::uint64_t> Field::as_bytes() const
{
    if (setting_ == nullptr) {
        return std::nullopt;
    }
    const auto* text = std::get_if<std::string>(&setting_->value);
    const auto bytes = text == nullptr ? std::nullopt : parse_bytes(*text);
    if (!bytes) {
        wrong("is not a size; write a whole number with B, KiB, MiB, GiB or TiB, as in \"2GiB\"");
    }
    return bytes;
}

std::optional<Fraction> Field::as_fraction() const
{
    if (setting_ == nullptr) {
        return std::nullopt;
    }
    if (const auto* whole = std::get_if<std::int64_t>(&setting_->value)) {
        return Fraction(*whole);
    }
    if (const auto* exact = std::get_if<Fraction>(&setting_->value)) {
        return *exact;
    }
    const auto* text = std::get_if<std::string>(&setting_->value);
    const auto parsed = text == nullptr ? std::nullopt : Fraction::parse(*text);
    if (!parsed) {
        wrong("is not a number; write a decimal such as 0.1, or a fraction such as \"5/9\"");
    }
    return parsed;
}

std::optional<Fraction> Field::as_percent() const
{
    if (setting_ == nullptr) {
        return std::nullopt;
    }
    const auto* text = std::get_if<std::string>(&setting_->value);
    const auto parsed = text == nullptr ? std::nullopt : parse_percent(*text);
    if (!parsed || parsed->numerator() < 0) {
        wrong("is not a percentage; write it as in \"70%\"");
        return std::nullopt;
    }
    return parsed;
}

std::optional<std::array<Fraction, 2>> Field::as_range() const
{
    const auto both = items();
    if (setting_ == nullptr || !std::holds_alternative<SettingList>(setting_->value)) {
        return std::nullopt;
    }
    if (both.size() != 2) {
        mistake("is not a range; write [lowest, highest]");
        return std::nullopt;
    }
    const auto low = both[0].as_fraction();
    const auto high = both[1].as_fraction();
    if (!low || !high) {
        return std::nullopt;
    }
    if (!less(*low, *high)) {
        mistake("the lowest is not below the highest; write [lowest, highest]");
        return std::nullopt;
    }
    return std::array{*low, *high};
}

std::vector<Field> Field::items(std::size_t most) const
{
    std::vector<Field> out;
    if (setting_ == nullptr) {
        return out;
    }
    const auto* list = std::get_if<SettingList>(&setting_->value);
    if (list == nullptr) {
        wrong("is not a list; write it in [ ]");
        return out;
    }
    if (list->size() > most) {
        mistake("has " + std::to_string(list->size()) + " entries; at most " +
                std::to_string(most) + " are allowed");
        return out;
    }
    for (const auto& item : *list) {
        out.emplace_back(&item, item.place, path_ + '[' + std::to_string(out.size() + 1) + ']',
                         *mistakes_);
    }
    return out;
}

const SettingTable* Field::as_table() const
{
    if (setting_ == nullptr) {
        return nullptr;
    }
    const auto* table = std::get_if<SettingTable>(&setting_->value);
    if (table == nullptr) {
        wrong("is not a table; write { key = value }");
    }
    return table;
}

void Field::texts(std::vector<std::string>& out, const Format& format) const
{
    for (const auto& item : items()) {
        if (auto text = item.as_text(format, 160)) {
            out.push_back(std::move(*text));
        }
    }
}

}  // namespace gateway
