#include "drivers/json/time_text.hpp"

#include "gateway/core/decimal.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace gateway::json_text {

namespace {

using std::chrono::minutes;

constexpr std::int64_t last_ms = 7'258'118'400'000;  // 2200-01-01
constexpr std::string_view iso_date = "%Y-%m-%d";
constexpr std::array<std::string_view, 12> months{"jan", "feb", "mar", "apr", "may", "jun",
                                                  "jul", "aug", "sep", "oct", "nov", "dec"};

char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// A date and a time of day as they are read off a text.
struct Fields {
    int year = 1970;
    unsigned month = 1, day = 1, hour = 0, minute = 0, second = 0, millisecond = 0;
    std::optional<bool> afternoon;
    std::optional<minutes> zone;
    std::optional<std::int64_t> since_1970;

    std::optional<WallTime> time(minutes otherwise) const
    {
        if (since_1970) {
            return WallTime(std::chrono::seconds(*since_1970));
        }
        const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                               std::chrono::day(day)};
        const bool twelve = !afternoon || (hour >= 1 && hour <= 12);
        if (!date.ok() || hour > 23 || minute > 59 || second > 60 || !twelve) {
            return std::nullopt;
        }
        const auto hours = afternoon ? hour % 12 + (*afternoon ? 12 : 0) : hour;
        return WallTime(std::chrono::sys_days(date).time_since_epoch() + std::chrono::hours(hours) +
                        minutes(minute) + std::chrono::seconds(second) +
                        std::chrono::milliseconds(millisecond) - zone.value_or(otherwise));
    }
};

/// Reads a text from its beginning; false when it is not as expected.
class Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}

    bool at_end() const { return text_.empty(); }
    bool take(char c)
    {
        const bool here = text_.starts_with(c);
        text_.remove_prefix(here ? 1 : 0);
        return here;
    }
    template <typename T>
    bool number(T& out, std::size_t least, std::size_t most)
    {
        std::size_t count = 0;
        while (count < std::min(most, text_.size()) && text_[count] >= '0' && text_[count] <= '9') {
            ++count;
        }
        if (count < least) {
            return false;
        }
        std::from_chars(text_.data(), text_.data() + count, out);
        text_.remove_prefix(count);
        return true;
    }
    /// Digits after a point: .5 is 500 ms.
    bool fraction(unsigned& milliseconds)
    {
        std::size_t count = 0;
        milliseconds = 0;
        for (; count < text_.size() && text_[count] >= '0' && text_[count] <= '9'; ++count) {
            milliseconds = count < 3 ? milliseconds * 10 + static_cast<unsigned>(text_[count] - '0')
                                     : milliseconds;
        }
        for (auto i = count; i < 3; ++i) {
            milliseconds *= 10;
        }
        text_.remove_prefix(count);
        return count > 0;
    }
    bool zone(std::optional<minutes>& out)
    {
        if (take('Z') || take('z')) {
            out = minutes(0);
            return true;
        }
        const bool west = text_.starts_with('-');
        if (!take('+') && !take('-')) {
            return false;
        }
        int hour = 0;
        int minute = 0;
        const bool good = number(hour, 2, 2) && (!take(':') || !at_end()) &&
                          (at_end() || number(minute, 2, 2)) && hour <= 14 && minute <= 59;
        out = (west ? -1 : 1) * minutes(60 * hour + minute);
        return good;
    }
    bool month(unsigned& out)
    {
        for (std::size_t i = 0; i < months.size() && text_.size() >= 3; ++i) {
            if (std::equal(months[i].begin(), months[i].end(), text_.begin(),
                           [](char a, char b) { return a == lower(b); })) {
                out = static_cast<unsigned>(i + 1);
                text_.remove_prefix(3);
                return true;
            }
        }
        return false;
    }
    bool half_of_day(std::optional<bool>& afternoon)
    {
        if (text_.size() < 2 || lower(text_[1]) != 'm' ||
            (lower(text_[0]) != 'a' && lower(text_[0]) != 'p')) {
            return false;
        }
        afternoon = lower(text_[0]) == 'p';
        text_.remove_prefix(2);
        return true;
    }
    void letters()
    {
        while (!text_.empty() && lower(text_[0]) >= 'a' && lower(text_[0]) <= 'z') {
            text_.remove_prefix(1);
        }
    }

private:
    std::string_view text_;
};

bool read_pattern(Reader& text, std::string_view pattern, Fields& fields);

bool read_directive(Reader& text, char letter, Fields& fields)
{
    switch (letter) {
        case 'Y':
            return text.number(fields.year, 4, 4);
        case 'y':
            if (!text.number(fields.year, 2, 2)) {
                return false;
            }
            fields.year += 2000;
            return true;
        case 'm':
            return text.number(fields.month, 1, 2);
        case 'b':
            return text.month(fields.month);
        case 'd':
            return text.number(fields.day, 1, 2);
        case 'H':
        case 'I':
            return text.number(fields.hour, 1, 2);
        case 'M':
            return text.number(fields.minute, 1, 2);
        case 'S':
            return text.number(fields.second, 1, 2);
        case 'f':
            return text.fraction(fields.millisecond);
        case 'p':
            return text.half_of_day(fields.afternoon);
        case 'z':
            return text.zone(fields.zone);
        case 's':
            return text.number(fields.since_1970.emplace(), 1, 12);
        case 'a':
            text.letters();
            return true;
        case 'F':
            return read_pattern(text, iso_date, fields);
        case 'T':
            return read_pattern(text, "%H:%M:%S", fields);
        case '%':
            return text.take('%');
        default:
            return false;
    }
}

bool read_pattern(Reader& text, std::string_view pattern, Fields& fields)
{
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const bool directive = pattern[i] == '%' && i + 1 < pattern.size();
        if (directive ? !read_directive(text, pattern[++i], fields) : !text.take(pattern[i])) {
            return false;
        }
    }
    return true;
}

std::optional<WallTime> read_iso(std::string_view written, minutes zone)
{
    Fields fields;
    Reader text(written);
    bool good = read_pattern(text, iso_date, fields);
    if (good && !text.at_end()) {
        good = (text.take('T') || text.take('t') || text.take(' ')) &&
               read_pattern(text, "%H:%M", fields);
        if (good && text.take(':')) {
            good = text.number(fields.second, 2, 2);
            if (good && (text.take('.') || text.take(','))) {
                good = text.fraction(fields.millisecond);
            }
        }
        text.take(' ');
        good = good && (text.at_end() || text.zone(fields.zone));
    }
    return good && text.at_end() ? fields.time(zone) : std::nullopt;
}

/// A number of units of which `per_ms` make a millisecond, or of `ms` each.
std::optional<std::int64_t> milliseconds_of(std::string_view text, int shift)
{
    auto number = parse_decimal(text);
    if (!number) {
        return std::nullopt;
    }
    number->exponent += shift;
    auto ms = number->digits;
    for (; number->exponent > 0; --number->exponent) {
        if (number->exponent > 18 || __builtin_mul_overflow(ms, 10, &ms)) {
            return std::nullopt;
        }
    }
    for (; number->exponent < 0 && ms != 0; ++number->exponent) {
        ms /= 10;
    }
    return ms;
}

std::optional<WallTime> read_unix(std::string_view text, int shift)
{
    const auto ms = milliseconds_of(text, shift);
    return ms ? std::optional(WallTime(std::chrono::milliseconds(*ms))) : std::nullopt;
}

/// Seconds have 10 digits until 2286, milliseconds 13, and so on.
std::optional<WallTime> read_automatically(std::string_view text, minutes zone)
{
    const auto digits = text.substr(0, text.find_first_not_of("0123456789")).size();
    if (digits > 0 && digits < 4) {
        return std::nullopt;
    }
    if (digits > 4 || digits == text.size()) {
        const int shift = digits >= 18 ? -6 : digits >= 15 ? -3 : digits >= 12 ? 0 : 3;
        return read_unix(text, shift);
    }
    return read_iso(text, zone);
}

}  // namespace

std::optional<TimeFormat> parse_format(std::string_view text)
{
    using Kind = TimeFormat::Kind;
    constexpr std::array<std::pair<std::string_view, Kind>, 4> names{
        {{"unix", Kind::unix_seconds},
         {"unix_ms", Kind::unix_milliseconds},
         {"iso8601", Kind::iso8601},
         {"age", Kind::age}}};
    for (const auto& [name, kind] : names) {
        if (name == text) {
            return TimeFormat{.kind = kind, .pattern = {}};
        }
    }
    constexpr std::string_view letters = "YymbdHIMSfpzsaFT%";
    bool any = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            any = true;
            if (++i == text.size() || letters.find(text[i]) == letters.npos) {
                return std::nullopt;
            }
        }
    }
    return any ? std::optional(TimeFormat{.kind = Kind::pattern, .pattern = std::string(text)})
               : std::nullopt;
}

std::optional<minutes> parse_zone(std::string_view text)
{
    Reader reader(text);
    std::optional<minutes> zone;
    return reader.zone(zone) && reader.at_end() ? zone : std::nullopt;
}

std::optional<WallTime> parse_time(std::string_view text, const TimeFormat& format,
                                   std::optional<WallTime> now)
{
    std::optional<WallTime> time;
    switch (format.kind) {
        case TimeFormat::Kind::automatic:
            time = read_automatically(text, format.zone);
            break;
        case TimeFormat::Kind::unix_seconds:
            time = read_unix(text, 3);
            break;
        case TimeFormat::Kind::unix_milliseconds:
            time = read_unix(text, 0);
            break;
        case TimeFormat::Kind::iso8601:
            time = read_iso(text, format.zone);
            break;
        case TimeFormat::Kind::age:
            if (const auto ago = milliseconds_of(text, 3); ago && now && *ago >= 0) {
                time = *now - std::chrono::milliseconds(std::min(*ago, last_ms));
            }
            break;
        case TimeFormat::Kind::pattern: {
            Fields fields;
            Reader reader(text);
            if (read_pattern(reader, format.pattern, fields) && reader.at_end()) {
                time = fields.time(format.zone);
            }
            break;
        }
    }
    const bool fits =
        time && time->time_since_epoch().count() >= 0 && time->time_since_epoch().count() < last_ms;
    return fits ? time : std::nullopt;
}

}  // namespace gateway::json_text
