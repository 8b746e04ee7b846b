#include "gateway/app/reading_row.hpp"

#include "gateway/core/fraction.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

namespace gateway {

namespace {

std::string in_quotes(std::string_view text)
{
    return json::serialize(json::string(text));
}

std::string text_or_null(std::string_view text)
{
    return text.empty() ? "null" : in_quotes(text);
}

// "2026-08-01T10:00:00.123Z"
std::string utc_with_ms(WallTime time)
{
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const auto ms = static_cast<int>((time - seconds).count());
    const std::time_t unix_seconds = seconds.time_since_epoch().count();
    std::tm parts{};
    gmtime_r(&unix_seconds, &parts);
    std::array<char, 48> text{};
    const auto size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    std::array<char, 8> tail{};
    std::snprintf(tail.data(), tail.size(), ".%03dZ", ms);
    return std::string(text.data(), size) + tail.data();
}

std::string raw_text(const Value& raw)
{
    if (raw.is_text()) {
        return raw.text();
    }
    const auto plain = apply(raw, Fraction(1), Fraction(0));
    return plain ? plain->text : std::string();
}

void describe_value(ReadingRow& row, const DeviceConfig& device, const Reading& reading)
{
    const auto& point = device.profile->points[reading.alias.row];
    row.point = point.id;
    row.unit = point.unit;
    row.raw = raw_text(reading.value);
    if (!point.names.empty() && reading.value.is_integer()) {
        const auto name = point.names.find(reading.value.as_int64());
        row.value = name == point.names.end() ? row.raw : name->second;
    } else if (const auto decimal = apply(reading.value, device.factors->scale[reading.alias.row],
                                          device.factors->offset[reading.alias.row])) {
        row.value = decimal->text;
        row.number = decimal->json_number;
    } else {
        row.value = row.raw;
    }
}

}  // namespace

json::object ReadingRow::object() const
{
    return {{"device", device}, {"point", point}, {"value", value},
            {"number", number}, {"unit", unit},   {"quality", quality},
            {"cause", cause},   {"raw", raw},     {"time", time}};
}

ReadingRow ReadingRow::from(const json::object& object)
{
    const auto text = [&object](std::string_view key) { return std::string(text_of(object, key)); };
    ReadingRow row{.device = text("device"),
                   .point = text("point"),
                   .value = text("value"),
                   .unit = text("unit"),
                   .quality = text("quality"),
                   .cause = text("cause"),
                   .raw = text("raw"),
                   .time = text("time")};
    const auto* number = object.if_contains("number");
    row.number = number != nullptr && number->is_bool() && number->get_bool();
    return row;
}

std::string ReadingRow::json_line() const
{
    return "{\"device\":" + in_quotes(device) + ",\"point\":" + text_or_null(point) +
           ",\"value\":" + (number ? value : text_or_null(value)) +
           ",\"unit\":" + text_or_null(unit) + ",\"quality\":" + in_quotes(quality) +
           ",\"cause\":" + text_or_null(cause) + ",\"raw\":" + text_or_null(raw) +
           ",\"time\":" + text_or_null(time) + "}";
}

ReadingRow describe(const DeviceConfig& device, const Reading& reading, Instant now,
                    const ClockReading& clock)
{
    ReadingRow row{.device = device.site.id, .quality = std::string(to_string(reading.quality))};
    if (reading.cause != Cause::none) {
        row.cause = to_string(reading.cause);
    }
    if (clock.state != ClockState::unset) {
        const auto age = std::chrono::floor<std::chrono::milliseconds>(now) - reading.time;
        row.time = utc_with_ms(clock.wall - age);
    }
    const auto row_number = reading.alias.row;
    if (row_number < device.profile->points.size()) {
        describe_value(row, device, reading);
    } else if (row_number >= Alias::first_alarm && row_number != Alias::whole_device) {
        const auto alarm = static_cast<std::size_t>(row_number - Alias::first_alarm);
        row.point = alarm < device.profile->alarms.size() ? device.profile->alarms[alarm].id : "";
        row.value = reading.value.as_int64() == 1 ? "raised" : "cleared";
        row.raw = raw_text(reading.value);
    }
    return row;
}

std::string table(const std::vector<ReadingRow>& rows)
{
    constexpr std::size_t columns = 6;
    using Line = std::array<std::string, columns>;
    std::vector<Line> lines{{"DEVICE", "POINT", "VALUE", "UNIT", "QUALITY", "CAUSE"}};
    for (const auto& row : rows) {
        lines.push_back({row.device, row.point.empty() ? "-" : row.point,
                         row.value.empty() ? "-" : row.value, row.unit, row.quality, row.cause});
    }
    std::array<std::size_t, columns> width{};
    for (const auto& line : lines) {
        for (std::size_t i = 0; i < columns; ++i) {
            width[i] = std::max(width[i], line[i].size());
        }
    }
    std::string text;
    for (const auto& line : lines) {
        std::string out;
        for (std::size_t i = 0; i < columns; ++i) {
            const std::string pad(width[i] - line[i].size(), ' ');
            out += i == 2 ? pad + line[i] : line[i] + pad;  // numbers line up on the right
            out += "  ";
        }
        out.erase(out.find_last_not_of(' ') + 1);
        text += out + '\n';
    }
    return text;
}

}  // namespace gateway
