#include "gateway/config/literal.hpp"

#include <re2/re2.h>
#include <boost/multiprecision/cpp_int.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <span>

namespace gateway {

namespace {

constexpr std::string_view lower = "abcdefghijklmnopqrstuvwxyz";

/// The whole number that `text` begins with; the rest stays in `text`.
std::optional<std::uint64_t> take_number(std::string_view& text)
{
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{}) {
        return std::nullopt;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

struct Unit {
    std::string_view name;
    std::uint64_t size;
};

std::optional<std::uint64_t> parse_sized(std::string_view text, std::span<const Unit> units,
                                         std::uint64_t most)
{
    const auto number = take_number(text);
    const auto unit = std::ranges::find(units, text, &Unit::name);
    if (!number || unit == units.end() || *number > most / unit->size) {
        return std::nullopt;
    }
    return *number * unit->size;
}

/// Begins with one of `first`, then any of `rest`, at most 63 characters.
bool is_word(std::string_view text, std::string_view first, std::string_view rest)
{
    return !text.empty() && text.size() <= 63 && first.find(text[0]) != std::string_view::npos &&
           text.find_first_not_of(rest) == std::string_view::npos;
}

bool is_id(std::string_view text)
{
    return is_word(text, "abcdefghijklmnopqrstuvwxyz0123456789",
                   "abcdefghijklmnopqrstuvwxyz0123456789.-");
}

bool matches(std::string_view text, const char* pattern)
{
    return RE2::FullMatch({text.data(), text.size()}, pattern);
}

bool is_url(std::string_view text, std::initializer_list<std::string_view> schemes)
{
    return std::ranges::any_of(schemes, [text](std::string_view scheme) {
        return text.starts_with(scheme) && text.size() > scheme.size() &&
               text.find_first_of(" @") == std::string_view::npos;
    });
}

re2::StringPiece piece(std::string_view text)
{
    return {text.data(), text.size()};
}

/// What a device says is bytes of no known encoding; what does not compile stays silent.
RE2::Options bytes_and_silence()
{
    RE2::Options options(RE2::Quiet);
    options.set_encoding(RE2::Options::EncodingLatin1);
    return options;
}

bool is_regex(std::string_view text)
{
    return RE2(piece(text), bytes_and_silence()).ok();
}

bool is_broker(std::string_view text)
{
    const auto at = text.find("://");
    return (text.starts_with("mqtt://") || text.starts_with("mqtts://")) &&
           parse_host_port(text.substr(at + 3));
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text)
{
    static constexpr std::array<Unit, 5> units{{{"ms", 1'000'000},
                                                {"s", 1'000'000'000},
                                                {"m", 60'000'000'000},
                                                {"h", 3'600'000'000'000},
                                                {"d", 86'400'000'000'000}}};
    constexpr std::uint64_t ten_years = 3'650 * units[4].size;
    const auto parsed = parse_sized(text, units, ten_years);
    return parsed ? std::optional(Duration(static_cast<std::int64_t>(*parsed))) : std::nullopt;
}

std::optional<std::uint64_t> parse_bytes(std::string_view text)
{
    static constexpr std::array<Unit, 5> units{{{"B", 1},
                                                {"KiB", 1ULL << 10},
                                                {"MiB", 1ULL << 20},
                                                {"GiB", 1ULL << 30},
                                                {"TiB", 1ULL << 40}}};
    return parse_sized(text, units, std::uint64_t{std::numeric_limits<std::int64_t>::max()});
}

std::optional<Fraction> parse_percent(std::string_view text)
{
    if (!text.ends_with('%')) {
        return std::nullopt;
    }
    const auto number = Fraction::parse(text.substr(0, text.size() - 1));
    const auto hundredth = Fraction::of(1, 100);
    return number && hundredth ? number->times(*hundredth) : std::nullopt;
}

bool less(const Fraction& left, const Fraction& right)
{
    using Wide = boost::multiprecision::int128_t;
    return Wide(left.numerator()) * right.denominator() <
           Wide(right.numerator()) * left.denominator();
}

bool is_date(std::string_view text)
{
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') {
        return false;
    }
    unsigned year = 0;
    unsigned month = 0;
    unsigned day = 0;
    const auto number = [text](std::size_t at, std::size_t size, unsigned& out) {
        const char* end = text.data() + at + size;
        return std::from_chars(text.data() + at, end, out).ptr == end;
    };
    return number(0, 4, year) && number(5, 2, month) && number(8, 2, day) &&
           std::chrono::year_month_day(std::chrono::year(static_cast<int>(year)),
                                       std::chrono::month(month), std::chrono::day(day))
               .ok();
}

Duration duration_of(const SettingTable& table, std::string_view key, Duration otherwise)
{
    return parse_duration(get<std::string>(table, key, {})).value_or(otherwise);
}

const Format any_text{[](std::string_view) { return true; }, "a text"};
const Format id_format{is_id, "an id (lower-case letters, digits, '.' and '-', at most 63)"};
const Format name_format{[](std::string_view text) {
                             return is_word(text, lower, "abcdefghijklmnopqrstuvwxyz0123456789_");
                         },
                         "a name (lower-case letters, digits and '_', a letter first, at most 63)"};
const Format slug_format{
    [](std::string_view text) {
        return is_word(text, lower, "abcdefghijklmnopqrstuvwxyz0123456789_-");
    },
    "a name (lower-case letters, digits, '_' and '-', a letter first, at most 63)"};
const Format org_format{
    [](std::string_view text) {
        return is_id(text) && matches(text,
                                      "state-[0-9]{2}|county-[0-9]{5}|place-[0-9]{7}|"
                                      "(school|special)-[a-z0-9][a-z0-9.-]*");
    },
    "an organisation (state-17, county-17031, place-1714000, school-… or special-…)"};
const Format version_format{
    [](std::string_view text) { return matches(text, "[0-9]{1,6}\\.[0-9]{1,6}\\.[0-9]{1,6}"); },
    "a version; write \"1.0.0\""};
const Format firmware_format{[](std::string_view text) {
                                 return matches(text,
                                                "\\*|(>=|>|<=|<|=)[0-9A-Za-z][0-9A-Za-z.]*"
                                                "(, *(>=|>|<=|<|=)[0-9A-Za-z][0-9A-Za-z.]*)*");
                             },
                             "a firmware rule; write \"*\", \">=1.3\" or \">=1.3, <2\""};
const Format secret_format{[](std::string_view text) {
                               return text.size() <= 63 &&
                                      matches(text, "[A-Za-z0-9_-][A-Za-z0-9_.-]*");
                           },
                           "the name of a secret (letters, digits, '_', '.' and '-')"};
const Format date_format{is_date, "a date; write \"2027-01-31\""};
const Format path_format{[](std::string_view text) {
                             return text.size() > 1 && text.front() == '/' &&
                                    text.find('\0') == std::string_view::npos;
                         },
                         "an absolute path"};
const Format host_port_format{
    [](std::string_view text) { return parse_host_port(text).has_value(); },
    "an address with a port; write \"10.0.0.5:502\" or \"[fd00::5]:502\""};
const Format url_format{[](std::string_view text) {
                            return is_url(text, {"http://", "https://"});
                        },
                        "a web address without user or password; write \"http://10.0.0.7\""};
const Format broker_format{is_broker, "a broker; write \"mqtts://platform.example:8883\""};
const Format oid_format{
    [](std::string_view text) {
        return matches(text, "\\.?[0-9]{1,10}(\\.([0-9]{1,10}|\\{i\\}))*");
    },
    "an object identifier; write \"1.3.6.1.2.1.1.1.0\", or \".2.5.0\" below the prefix"};
const Format pointer_format{
    [](std::string_view text) { return matches(text, "(/([^~/]|~[01])*)*"); },
    "a JSON pointer; write \"/sensors/0/value\""};
const Format regex_format{is_regex, "a regular expression of RE2"};
const Format conforms_format{
    [](std::string_view text) { return matches(text, "[a-z0-9][a-z0-9.-]{0,62}/[0-9]{1,4}"); },
    "a specification; write \"il.spec.energy-meter/1\""};

bool matches_regex(std::string_view text, std::string_view pattern)
{
    const RE2 expression(piece(pattern), bytes_and_silence());
    return expression.ok() && RE2::FullMatch(piece(text), expression);
}

std::optional<HostPort> parse_host_port(std::string_view text)
{
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) {
        return std::nullopt;
    }
    auto host = text.substr(0, colon);
    auto rest = text.substr(colon + 1);
    const auto port = take_number(rest);
    if (!port || !rest.empty() || *port == 0 || *port > 65'535) {
        return std::nullopt;
    }
    const bool v6 = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (v6) {
        host = host.substr(1, host.size() - 2);
    }
    const bool fits = v6 ? matches(host, "[0-9A-Fa-f:.]+(%[A-Za-z0-9]+)?")
                         : matches(host, "[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?");
    return fits && host.size() <= 253
               ? std::optional(HostPort{std::string(host), static_cast<std::uint16_t>(*port)})
               : std::nullopt;
}

bool is_loopback(std::string_view host)
{
    return host == "localhost" || host == "::1" ||
           matches(host, "127\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}");
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& known)
{
    std::string_view best;
    std::size_t best_distance = word.size() / 2 + 1;
    std::vector<std::size_t> row;
    for (const auto candidate : known) {
        if (word.size() > 200) {
            continue;
        }
        row.resize(candidate.size() + 1);
        for (std::size_t i = 0; i < row.size(); ++i) {
            row[i] = i;
        }
        for (std::size_t i = 1; i <= word.size(); ++i) {
            auto diagonal = row[0]++;
            for (std::size_t j = 1; j < row.size(); ++j) {
                const auto replace = diagonal + (word[i - 1] == candidate[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = std::min({row[j] + 1, row[j - 1] + 1, replace});
            }
        }
        if (row.back() < best_distance) {
            best_distance = row.back();
            best = candidate;
        }
    }
    if (best.empty() && word.size() > 2) {
        const auto longer = std::ranges::find_if(
            known, [word](std::string_view candidate) { return candidate.starts_with(word); });
        return longer == known.end() ? best : *longer;
    }
    return best;
}

}  // namespace gateway
