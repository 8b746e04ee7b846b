#include "drivers/ascii/line_map.hpp"

#include "gateway/config/literal.hpp"

#include <algorithm>

namespace gateway::ascii {

namespace {

constexpr std::string_view address_mark = "{address}";
constexpr std::string_view checksum_mark = "{checksum}";

std::string replaced(std::string text, std::string_view mark, const std::string& with)
{
    for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at)) {
        text.replace(at, mark.size(), with);
        at += with.size();
    }
    return text;
}

/// One value of one table, converted; what every part needs.
struct Keys {
    const SettingTable& table;
    const std::string& address;

    std::string text(std::string_view key, const std::string& otherwise = {}) const
    {
        return get(table, key, otherwise);
    }
    std::size_t number(std::string_view key, std::int64_t otherwise) const
    {
        return static_cast<std::size_t>(get(table, key, otherwise));
    }
    /// In an expression the address is that text and nothing else.
    std::optional<Pattern> pattern(std::string_view key) const
    {
        const auto expression = text(key);
        return expression.empty()
                   ? std::nullopt
                   : std::optional<Pattern>(replaced(expression, address_mark, quoted(address)));
    }
    std::vector<Pattern> patterns(std::string_view key) const
    {
        std::vector<Pattern> all;
        for (const auto& item : get(table, key, SettingList{})) {
            all.emplace_back(
                replaced(std::get<std::string>(item.value), address_mark, quoted(address)));
        }
        return all;
    }
};

Grammar read_grammar(const SettingTable& transport, const std::string& address)
{
    const auto frame = get(transport, "frame", SettingTable{});
    const Keys keys{frame, address};
    Grammar grammar{.start = keys.text("start"),
                    .end = keys.text("end"),
                    .separator = keys.text("separator", ","),
                    .decimal = keys.text("decimal", ".")[0],
                    .checksum = checksum_named(keys.text("checksum")),
                    .checksum_required = get(frame, "checksum_required", true),
                    .checked = keys.pattern("checked"),
                    .invalid = keys.patterns("invalid"),
                    .skip = keys.patterns("skip")};
    grammar.longest = static_cast<std::size_t>(get<std::int64_t>(transport, "max_line", 512));
    if (grammar.end == "\r\n" || grammar.end == "\n" || grammar.end == "\r") {
        grammar.end.clear();  // any of them: a device server may change one into the other
    }
    if (grammar.checksum == Checksum::none) {
        grammar.checked.reset();
    } else if (!grammar.checked) {
        grammar.checked = usual_place(grammar.checksum, grammar.start);
    }
    return grammar;
}

Settings read_settings(const SettingTable& transport)
{
    Settings settings;
    settings.talking = get(transport, "mode", std::string()) == "talking";
    settings.timeout = duration_of(transport, "timeout", settings.timeout);
    settings.late = duration_of(transport, "late", settings.timeout);
    settings.gap = duration_of(transport, "gap", settings.gap);
    settings.silence = duration_of(transport, "silence", settings.silence);
    settings.stale = duration_of(transport, "stale", settings.stale);
    settings.retries = static_cast<unsigned>(get<std::int64_t>(transport, "retries", 0));
    settings.lines = static_cast<std::size_t>(get<std::int64_t>(transport, "lines", 1));
    settings.echo = get(transport, "echo", false);
    return settings;
}

/// The group that a read means: the one of this name, else the first, else the whole match.
void choose_groups(Source& source)
{
    const auto named = source.match->group_named("value");
    source.group = named != 0 ? named : source.match->group_count() > 0 ? 1 : 0;
    source.unit_group = source.match->group_named("unit");
    if (named == 0 && source.unit_group == 1) {
        source.group = source.match->group_count() > 1 ? 2 : 0;
    }
}

Source read_source(const SettingTable& read, const std::string& address)
{
    const Keys keys{read, address};
    Source source{.field = keys.number("field", 0),
                  .key = keys.text("key"),
                  .column = keys.number("column", 1) - 1,
                  .width = keys.number("width", 1),
                  .match = keys.pattern("match"),
                  .line = keys.pattern("line"),
                  .suffix = keys.pattern("suffix"),
                  .unit = keys.text("part") == "unit",
                  .type = text_type(keys.text("type"), TextType::float64)};
    source.form = read.contains("field")    ? Source::Form::field
                  : read.contains("key")    ? Source::Form::key
                  : read.contains("column") ? Source::Form::column
                                            : Source::Form::match;
    if (source.match) {
        choose_groups(source);
    }
    const auto bits = get(read, "bits", SettingList{});
    if (bits.size() == 2) {
        const auto bit = [&bits](std::size_t i) {
            return static_cast<unsigned>(std::get<std::int64_t>(bits[i].value));
        };
        source.bits = std::pair(bit(0), bit(1));
    }
    return source;
}

/// Collects the requests of a profile, each once.
struct Requests {
    LineMap& map;
    const Profile& profile;
    const std::string& address;
    Mistakes& mistakes;

    std::size_t of(const SettingTable& read, const Place& place, const std::string& path)
    {
        const auto own = get(read, "request", get(profile.transport, "request", std::string()));
        if (map.settings.talking != own.empty()) {
            mistakes.add(place, path,
                         own.empty() ? "asks nothing; write request here or in [transport]"
                                     : "a device that talks is asked nothing; leave request out");
        }
        if (own.find(address_mark) != std::string::npos && address.empty()) {
            mistakes.add(place, path, "the request has an {address}; the site must say which");
        }
        auto bytes = request_bytes(map.grammar, own, address);
        const auto known = std::ranges::find(map.requests, bytes);
        const auto index = static_cast<std::size_t>(known - map.requests.begin());
        if (known == map.requests.end() && !bytes.empty()) {
            map.requests.push_back(std::move(bytes));
        }
        return index;
    }
};

std::optional<Clockwork> read_clock(const Profile& profile, const std::string& address,
                                    Mistakes& mistakes)
{
    const auto* time = find(profile.transport, "time");
    if (time == nullptr) {
        return std::nullopt;
    }
    const Keys keys{std::get<SettingTable>(time->value), address};
    Clockwork clock{.match = *keys.pattern("match"), .format = keys.text("format")};
    const auto zone = parse_zone(keys.text("zone", "+00:00"));
    clock.zone = zone.value_or(Duration::zero());
    if (!is_time_format(clock.format)) {
        mistakes.add(time->place, "transport.time.format",
                     "does not say a day, or has more than %Y %y %m %d %j %H %M %S %s; write "
                     "\"%Y-%m-%d %H:%M:%S\"");
    }
    if (!zone) {
        mistakes.add(time->place, "transport.time.zone", "is not a zone; write \"+01:00\"");
    }
    return clock;
}

void check_polls(const Profile& profile, Mistakes& mistakes)
{
    for (const auto& point : profile.points) {
        if (point.poll == Duration::zero() && !point.hidden) {
            mistakes.add(point.place, "point " + point.id + ".poll",
                         "is missing; write poll = \"60s\"");
        }
    }
}

}  // namespace

LineMap read_map(const Profile& profile, const std::string& address, Mistakes& mistakes)
{
    LineMap map;
    map.grammar = read_grammar(profile.transport, address);
    map.settings = read_settings(profile.transport);
    map.clock = read_clock(profile, address, mistakes);
    if (!map.settings.talking) {
        check_polls(profile, mistakes);
    }
    Requests requests{map, profile, address, mistakes};
    for (std::size_t i = 0; i < profile.points.size(); ++i) {
        const auto& point = profile.points[i];
        const auto path = "point[" + std::to_string(i) + "]";
        map.points.push_back(read_source(point.read, address));
        map.request_of_point.push_back(requests.of(point.read, point.place, path + ".read"));
    }
    for (std::size_t i = 0; i < profile.identify.size(); ++i) {
        const auto& read = profile.identify[i].read;
        const auto place = read.empty() ? Place{profile.file} : read.begin()->second.place;
        map.identity.push_back(read_source(read, address));
        map.required.push_back(profile.identify[i].required);
        map.request_of_identity.push_back(
            requests.of(read, place, "identify[" + std::to_string(i) + "].read"));
    }
    return map;
}

std::string request_bytes(const Grammar& grammar, const std::string& text,
                          const std::string& address)
{
    std::string bytes = replaced(text, address_mark, address);
    const auto mark = bytes.find(checksum_mark);
    if (mark == std::string::npos) {
        return bytes;
    }
    auto covered = std::string_view(bytes).substr(0, mark);
    covered.remove_prefix(covered.starts_with(grammar.start) ? grammar.start.size() : 0);
    if (grammar.checksum == Checksum::nmea) {
        covered.remove_prefix(covered.starts_with('$') ? 1 : 0);
        covered.remove_suffix(covered.ends_with('*') ? 1 : 0);
    }
    const auto number = checksum_of(grammar.checksum, covered);
    return bytes.replace(mark, checksum_mark.size(), written(grammar.checksum, number));
}

}  // namespace gateway::ascii
