#include "drivers/ascii/device_time.hpp"

#include <algorithm>
#include <charconv>

namespace gateway::ascii {

namespace {

using namespace std::chrono;

/// The parts of a time as they are read.
struct TimeParts {
    int year = 1970;
    unsigned month = 1, day = 1, day_of_year = 0;
    unsigned hour = 0, minute = 0;
    milliseconds second{};
    std::optional<std::int64_t> unix_seconds;
};

bool take_number(std::string_view& text, std::size_t most_digits, auto& number)
{
    const auto size = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto digits = text.substr(0, std::min(size, most_digits));
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    text.remove_prefix(digits.size());
    return !digits.empty() && parsed.ec == std::errc();
}

bool take_seconds(std::string_view& text, milliseconds& second)
{
    unsigned whole = 0;
    if (!take_number(text, 2, whole) || whole > 60) {
        return false;
    }
    second = seconds(whole);
    if (text.size() < 2 || text[0] != '.' || text[1] < '0' || text[1] > '9') {
        return true;
    }
    text.remove_prefix(1);
    for (int scale = 100; !text.empty() && text[0] >= '0' && text[0] <= '9'; scale /= 10) {
        second += milliseconds(scale * (text[0] - '0'));
        text.remove_prefix(1);
    }
    return true;
}

bool take(char what, std::string_view& text, TimeParts& parts)
{
    switch (what) {
        case 'Y':
            return take_number(text, 4, parts.year);
        case 'y': {
            const bool taken = take_number(text, 2, parts.year);
            parts.year += parts.year < 69 ? 2000 : 1900;  // as POSIX has it
            return taken;
        }
        case 'm':
            return take_number(text, 2, parts.month);
        case 'd':
            return take_number(text, 2, parts.day);
        case 'j':
            return take_number(text, 3, parts.day_of_year) && parts.day_of_year > 0;
        case 'H':
            return take_number(text, 2, parts.hour) && parts.hour < 24;
        case 'M':
            return take_number(text, 2, parts.minute) && parts.minute < 60;
        case 'S':
            return take_seconds(text, parts.second);
        case 's':
            return take_number(text, 11, parts.unix_seconds.emplace());
        default:
            return false;
    }
}

std::optional<WallTime> whole(const TimeParts& parts, Duration zone)
{
    const auto offset = duration_cast<milliseconds>(zone);
    if (parts.unix_seconds) {
        return WallTime(seconds(*parts.unix_seconds) + parts.second - offset);
    }
    const year_month_day date(year(parts.year), month(parts.month), day(parts.day));
    const bool leap = year(parts.year).is_leap();
    if (!date.ok() || parts.day_of_year > (leap ? 366U : 365U)) {
        return std::nullopt;
    }
    auto days_since = sys_days(date);
    if (parts.day_of_year > 0) {
        days_since = sys_days(year(parts.year) / January / 1) + days(parts.day_of_year - 1);
    }
    return WallTime(days_since) + hours(parts.hour) + minutes(parts.minute) + parts.second - offset;
}

}  // namespace

std::optional<WallTime> parse_time(std::string_view text, std::string_view format, Duration zone)
{
    TimeParts parts;
    while (!format.empty()) {
        const bool field = format[0] == '%' && format.size() > 1;
        if (field ? !take(format[1], text, parts) : text.empty() || text[0] != format[0]) {
            return std::nullopt;
        }
        text.remove_prefix(field ? 0 : 1);
        format.remove_prefix(field ? 2 : 1);
    }
    return text.empty() ? whole(parts, zone) : std::nullopt;
}

std::optional<Duration> parse_zone(std::string_view text)
{
    const bool behind = text.starts_with('-');
    unsigned hours = 0;
    unsigned minutes = 0;
    if (text.size() != 6 || (!behind && text[0] != '+') || text[3] != ':') {
        return std::nullopt;
    }
    auto left = text.substr(1, 2);
    auto right = text.substr(4);
    if (!take_number(left, 2, hours) || !take_number(right, 2, minutes) || !left.empty() ||
        !right.empty() || hours > 14 || minutes > 59) {
        return std::nullopt;
    }
    const auto zone = std::chrono::hours(hours) + std::chrono::minutes(minutes);
    return behind ? -zone : zone;
}

std::optional<WallTime> time_in(const Clockwork& clock, std::string_view body)
{
    const auto groups = clock.match.groups(body);
    return groups ? parse_time(groups[groups.count > 1 ? 1 : 0], clock.format, clock.zone)
                  : std::nullopt;
}

bool is_time_format(std::string_view format)
{
    std::string fields;
    for (std::size_t at = 0; at < format.size(); ++at) {
        if (format[at] == '%') {
            const auto field = at + 1 < format.size() ? format[++at] : '\0';
            if (std::string_view("YymdjHMSs").find(field) == std::string_view::npos) {
                return false;
            }
            fields += field;
        }
    }
    const auto has = [&fields](char field) { return fields.find(field) != std::string::npos; };
    return has('s') || ((has('Y') || has('y')) && (has('j') || (has('m') && has('d'))));
}

}  // namespace gateway::ascii
