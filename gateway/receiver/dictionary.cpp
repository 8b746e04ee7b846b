#include "gateway/receiver/dictionary.hpp"

#include "gateway/receiver/json_text.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <set>

namespace gateway {

namespace {

constexpr std::uint64_t most_row = std::numeric_limits<std::uint16_t>::max();

std::string json_or_null(const json::object& object, std::string_view key)
{
    const auto* member = object.if_contains(key);
    const auto* text = member == nullptr ? nullptr : member->if_string();
    return text == nullptr ? "null" : json_string(*text);
}

std::optional<std::uint16_t> number16(const json::object& object, std::string_view key)
{
    const auto* member = object.if_contains(key);
    if (member == nullptr || !member->is_number()) {
        return std::nullopt;
    }
    boost::system::error_code error;
    const auto number = member->to_number<std::uint64_t>(error);
    return error || number > most_row ? std::nullopt
                                      : std::optional(static_cast<std::uint16_t>(number));
}

void append_coordinate(std::string& out, const json::object& location, std::string_view key)
{
    const auto* member = location.if_contains(key);
    if (member == nullptr || !member->is_number()) {
        out += "null";
        return;
    }
    append_number(out, member->to_number<double>());
}

std::string location_text(const json::object& device)
{
    const auto* location = object_of(device, "location");
    if (location == nullptr) {
        return "null";
    }
    std::string out = R"({"lat":)";
    append_coordinate(out, *location, "lat");
    out += R"(,"lon":)";
    append_coordinate(out, *location, "lon");
    return out + '}';
}

std::string tail_text(const json::object& device)
{
    std::string out = R"(,"location":)" + location_text(device) + R"(,"profile":)";
    if (const auto* profile = object_of(device, "profile"); profile != nullptr) {
        const auto name =
            std::string(text_of(*profile, "id")) + '@' + std::string(text_of(*profile, "version"));
        append_json_string(out, name);
    } else {
        out += "null";
    }
    out += R"(,"verdict":)";
    if (const auto* verdict = object_of(device, "verdict"); verdict != nullptr) {
        out += R"({"identity":)" + json_or_null(*verdict, "identity") + R"(,"contract":)" +
               json_or_null(*verdict, "contract") + '}';
    } else {
        out += "null";
    }
    return out;
}

std::string subject_text(const std::string& point, const std::string& title,
                         const std::string& quantity)
{
    return R"(,"point":)" + point + R"(,"title":)" + title + R"(,"quantity":)" + quantity +
           R"(,"time":)";
}

std::optional<std::pair<bool, std::uint64_t>> integer_key(std::string_view text)
{
    const auto* const end = text.data() + text.size();
    std::int64_t number = 0;
    if (const auto got = std::from_chars(text.data(), end, number);
        got.ec == std::errc() && got.ptr == end) {
        return std::pair(false, static_cast<std::uint64_t>(number));
    }
    std::uint64_t large = 0;
    if (const auto got = std::from_chars(text.data(), end, large);
        got.ec == std::errc() && got.ptr == end) {
        return std::pair(true, large);
    }
    return std::nullopt;
}

Checked<DictionaryRow> parse_point(const json::object& point)
{
    const auto number = number16(point, "row");
    const auto scale = Fraction::parse(text_of(point, "scale", "1"));
    const auto offset = Fraction::parse(text_of(point, "offset", "0"));
    if (!number || *number >= Alias::first_alarm || text_of(point, "id").empty()) {
        return Refusal{"a point without a row below 32768 or without an id"};
    }
    if (!scale || !offset) {
        return Refusal{"the scale or offset of a point is not an exact number"};
    }
    DictionaryRow row{.row = *number, .scale = *scale, .offset = *offset};
    if (const auto* names = object_of(point, "enum"); names != nullptr) {
        for (const auto& [key, name] : *names) {
            const auto raw = integer_key(key);
            if (!raw || !name.is_string()) {
                return Refusal{"an enum of a point that does not name integers"};
            }
            row.names.emplace(*raw, json_string(name.get_string()));
        }
    }
    row.subject = subject_text(json_or_null(point, "id"), json_or_null(point, "title"),
                               json_or_null(point, "quantity"));
    row.unit = R"(,"unit":)" + json_or_null(point, "unit");
    row.publish = R"(,"publish":)" + json_or_null(point, "publish");
    return row;
}

// An alarm's line carries what its point may show: the point's `publish`, else the device's.
Checked<DictionaryRow> parse_alarm(const json::object& alarm, const json::object& device,
                                   const json::array& points)
{
    const auto number = number16(alarm, "row");
    if (!number || *number < Alias::first_alarm || *number == Alias::whole_device ||
        text_of(alarm, "id").empty()) {
        return Refusal{"an alarm without a row from 32768 on or without an id"};
    }
    const auto watched = text_of(alarm, "point");
    const auto* source = &device;
    for (const auto& point : points) {
        const auto* object = point.if_object();
        if (object != nullptr && !watched.empty() && text_of(*object, "id") == watched) {
            source = object;
            break;
        }
    }
    return DictionaryRow{.row = *number,
                         .subject = subject_text(json_or_null(alarm, "id"), "null", "null"),
                         .unit = R"(,"unit":null)",
                         .publish = R"(,"publish":)" + json_or_null(*source, "publish"),
                         .alarm = R"(,"severity":)" + json_or_null(alarm, "severity") +
                                  R"(,"text":)" + json_or_null(alarm, "text")};
}

const json::array& array_of(const json::object& object, std::string_view key)
{
    static const json::array none;
    const auto* member = object.if_contains(key);
    const auto* array = member == nullptr ? nullptr : member->if_array();
    return array == nullptr ? none : *array;
}

Checked<std::vector<DictionaryRow>> parse_rows(const json::object& root, const json::object& device)
{
    std::vector<DictionaryRow> rows;
    const auto& points = array_of(root, "points");
    for (const auto& point : points) {
        const auto* object = point.if_object();
        auto row = object == nullptr ? Checked<DictionaryRow>(Refusal{"a point is not an object"})
                                     : parse_point(*object);
        if (!row) {
            return row.error();
        }
        rows.push_back(std::move(*row));
    }
    for (const auto& alarm : array_of(root, "alarms")) {
        const auto* object = alarm.if_object();
        auto row = object == nullptr ? Checked<DictionaryRow>(Refusal{"an alarm is not an object"})
                                     : parse_alarm(*object, device, points);
        if (!row) {
            return row.error();
        }
        rows.push_back(std::move(*row));
    }
    rows.push_back({.row = Alias::whole_device,
                    .subject = subject_text("null", "null", "null"),
                    .unit = R"(,"unit":null)",
                    .publish = R"(,"publish":)" + json_or_null(device, "publish")});
    std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.row < b.row; });
    const auto same = [](const auto& a, const auto& b) { return a.row == b.row; };
    if (std::adjacent_find(rows.begin(), rows.end(), same) != rows.end()) {
        return Refusal{"a row that is named twice"};
    }
    return rows;
}

}  // namespace

Checked<Dictionary> Dictionary::parse(std::string_view bytes, const Topic& topic)
{
    if (bytes.size() > most_dictionary_bytes) {
        return Refusal{"a dictionary over 1 MB", RefusalKind::limit};
    }
    if (dictionary_hash(bytes) != topic.hash) {
        return Refusal{"the dictionary's bytes do not have the hash of its topic"};
    }
    const auto parsed = parse_json(bytes, most_dictionary_bytes);
    const auto* root = parsed.has_value() ? parsed->if_object() : nullptr;
    if (root == nullptr || text_of(*root, "schema") != "smartstate.dictionary/1") {
        return Refusal{"not a smartstate.dictionary/1"};
    }
    if (text_of(*root, "box") != topic.box || text_of(*root, "org") != topic.org) {
        return Refusal{"the dictionary is of another box or org than its topic"};
    }
    const auto* device = object_of(*root, "device");
    const auto index = device == nullptr ? std::nullopt : number16(*device, "index");
    if (!index || *index == 0 || text_of(*device, "id").empty()) {
        return Refusal{"a dictionary without the device's index or id"};
    }
    auto rows = parse_rows(*root, *device);
    if (!rows) {
        return rows.error();
    }
    Dictionary dictionary;
    dictionary.device_ = *index;
    dictionary.head_ = R"(,"device":)" + json_or_null(*device, "id") + R"(,"name":)" +
                       json_or_null(*device, "name");
    dictionary.tail_ = tail_text(*device);
    dictionary.rows_ = std::move(*rows);
    return dictionary;
}

Dictionary Dictionary::unknown(std::uint16_t device)
{
    Dictionary dictionary;
    dictionary.device_ = device;
    dictionary.head_ = R"(,"device":"device-)" + std::to_string(device) + R"(","name":null)";
    dictionary.tail_ = tail_text({});
    return dictionary;
}

const DictionaryRow* Dictionary::row(std::uint16_t row) const
{
    // Rows are nearly always 0, 1, 2 …, so the row is its own place.
    if (row < rows_.size() && rows_[row].row == row) {
        return &rows_[row];
    }
    const auto found = std::lower_bound(rows_.begin(), rows_.end(), row,
                                        [](const auto& r, std::uint16_t at) { return r.row < at; });
    return found != rows_.end() && found->row == row ? &*found : nullptr;
}

std::size_t Dictionary::size_bytes() const
{
    auto size = sizeof(*this) + head_.size() + tail_.size();
    for (const auto& row : rows_) {
        constexpr std::size_t name_bytes = 96;
        size += sizeof(row) + row.subject.size() + row.unit.size() + row.publish.size() +
                row.alarm.size() + row.names.size() * name_bytes;
    }
    return size;
}

}  // namespace gateway
