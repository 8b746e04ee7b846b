#include "drivers/ascii/codec.hpp"

#include <algorithm>

namespace gateway::ascii {

namespace {

bool is_digit(char letter)
{
    return letter >= '0' && letter <= '9';
}

bool is_blank(char letter)
{
    return letter == ' ' || letter == '\t';
}

bool is_name(char letter)
{
    return is_digit(letter) || letter == '_' || (letter >= 'a' && letter <= 'z') ||
           (letter >= 'A' && letter <= 'Z');
}

bool is_blanks(std::string_view text)
{
    return std::ranges::all_of(text, is_blank);
}

Sample failure(Quality quality, Cause cause)
{
    return {.raw = {}, .quality = quality, .cause = cause};
}

bool is_any(const std::vector<Pattern>& patterns, std::string_view text)
{
    return std::ranges::any_of(patterns, [text](const Pattern& each) { return each.is(text); });
}

std::size_t digits_from(std::string_view text, std::size_t at)
{
    while (at < text.size() && is_digit(text[at])) {
        ++at;
    }
    return at;
}

/// Up to the first blank, and what follows up to the next one: value and unit of a list whose
/// items only blanks keep apart.
std::string_view two_words(std::string_view text)
{
    const auto word_end = [&](std::size_t from) {
        return std::min(text.find_first_of(" \t", from), text.size());
    };
    const auto value = word_end(0);
    const auto second = text.find_first_not_of(" \t", value);
    if (second == std::string_view::npos) {
        return text.substr(0, value);
    }
    const auto unit = word_end(second);
    const bool next_item =
        text.substr(second, unit - second).find_first_of("=:") != std::string_view::npos ||
        is_digit(text[second]);
    return text.substr(0, next_item ? value : unit);
}

/// The text of the value, or of value and unit.
struct Cell {
    std::string_view text;
    std::optional<std::string_view> unit;
};

std::optional<Cell> cell_in(const Source& source, const Grammar& grammar, std::string_view body)
{
    switch (source.form) {
        case Source::Form::field: {
            const auto field = field_of(body, grammar.separator, source.field);
            return field ? std::optional(Cell{*field, {}}) : std::nullopt;
        }
        case Source::Form::key: {
            const auto item = item_of(body, grammar.separator, source.key);
            return item ? std::optional(Cell{*item, {}}) : std::nullopt;
        }
        case Source::Form::column:
            return source.column < body.size()
                       ? std::optional(Cell{body.substr(source.column, source.width), {}})
                       : std::nullopt;
        case Source::Form::match: {
            const auto groups = source.match->groups(body);
            if (!groups) {
                return std::nullopt;
            }
            const auto unit =
                source.unit_group == 0 ? std::nullopt : std::optional(groups[source.unit_group]);
            return Cell{groups[source.group], unit};
        }
    }
    return std::nullopt;
}

/// The lines that a source without `line` looks for are those in which it finds its value.
bool finds_its_lines(const Source& source)
{
    return source.form == Source::Form::key || source.form == Source::Form::match;
}

std::optional<Value> bits_of(const Value& value, std::pair<unsigned, unsigned> bits)
{
    if (!value.is_integer()) {
        return std::nullopt;
    }
    const auto width = bits.second - bits.first + 1;
    const auto mask = width >= 64 ? ~0ULL : (1ULL << width) - 1;
    return Value::unsigned_integer((value.bits() >> bits.first) & mask);
}

Sample sample_of(const Source& source, const Grammar& grammar, const Cell& cell)
{
    const auto text = trimmed(cell.text);
    const auto parts = parts_of(text, grammar.decimal);
    const auto suffix = trimmed(cell.unit.value_or(parts.suffix));
    if (text.empty() || is_any(grammar.invalid, text) ||
        (!suffix.empty() && is_any(grammar.invalid, suffix))) {
        return failure(Quality::missing, Cause::sentinel);
    }
    if (source.unit) {
        auto unit = value_of(suffix, TextType::text);
        return unit ? Sample{.raw = std::move(*unit)} : failure(Quality::missing, Cause::sentinel);
    }
    const bool number = source.type == TextType::int64 || source.type == TextType::float64;
    const bool split = number && !cell.unit;
    const bool may_stand = suffix.empty() || (source.suffix ? source.suffix->is(suffix)
                                                            : source.form == Source::Form::key);
    auto value = split && !may_stand
                     ? std::nullopt
                     : value_of(split ? parts.number : text, source.type, grammar.decimal);
    if (value && source.bits) {
        value = bits_of(*value, *source.bits);
    }
    return value ? Sample{.raw = std::move(*value)} : failure(Quality::bad, Cause::not_a_number);
}

}  // namespace

Result<std::string_view> body_of(const Grammar& grammar, std::string_view line)
{
    auto end = line.size();
    if (grammar.checked) {
        const auto checked = check(grammar.checksum, *grammar.checked, line);
        const bool absent = checked.verdict == Checked::Verdict::absent;
        if (absent ? grammar.checksum_required : checked.verdict == Checked::Verdict::wrong) {
            return Fault::bad_checksum;
        }
        end = checked.covered_end;
    }
    auto body = line.substr(0, end);
    body.remove_prefix(body.starts_with(grammar.start) ? grammar.start.size() : 0);
    while (!body.empty() && static_cast<unsigned char>(body.back()) < ' ') {
        body.remove_suffix(1);
    }
    return body;
}

bool is_skipped(const Grammar& grammar, std::string_view line)
{
    return std::ranges::any_of(grammar.skip,
                               [line](const Pattern& each) { return each.finds(line); });
}

std::optional<Sample> sample_in(const Source& source, const Grammar& grammar, std::string_view body)
{
    if (source.line && !source.line->finds(body)) {
        return std::nullopt;
    }
    const auto cell = cell_in(source, grammar, body);
    if (cell) {
        return sample_of(source, grammar, *cell);
    }
    return !source.line && finds_its_lines(source)
               ? std::nullopt
               : std::optional(failure(Quality::comm_error, Cause::short_frame));
}

std::optional<std::string_view> field_of(std::string_view body, std::string_view separator,
                                         std::size_t number)
{
    const bool blanks = is_blanks(separator);
    std::size_t at = 0;
    for (std::size_t i = 0;; ++i) {
        if (blanks) {
            at = body.find_first_not_of(" \t", at);
            if (at == std::string_view::npos) {
                return std::nullopt;
            }
        }
        const auto end = blanks ? body.find_first_of(" \t", at) : body.find(separator, at);
        const auto stop = std::min(end, body.size());
        if (i == number) {
            return body.substr(at, stop - at);
        }
        if (end == std::string_view::npos) {
            return std::nullopt;
        }
        at = end + (blanks ? 1 : separator.size());
    }
}

std::optional<std::string_view> item_of(std::string_view body, std::string_view separator,
                                        std::string_view key)
{
    for (auto at = body.find(key); at != std::string_view::npos; at = body.find(key, at + 1)) {
        const auto rest = body.substr(at + key.size());
        const bool begins = at == 0 || !is_name(body[at - 1]);
        if (!begins || rest.empty() || (!is_blank(rest[0]) && rest[0] != '=' && rest[0] != ':')) {
            continue;
        }
        auto value = rest.substr(std::min(rest.find_first_not_of(" \t"), rest.size()));
        if (value.starts_with('=') || value.starts_with(':')) {
            value.remove_prefix(1);
            value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
        }
        return is_blanks(separator) ? two_words(value) : value.substr(0, value.find(separator));
    }
    return std::nullopt;
}

Parts parts_of(std::string_view text, char decimal)
{
    std::size_t at = !text.empty() && (text[0] == '+' || text[0] == '-') ? 1 : 0;
    auto end = digits_from(text, at);
    bool any = end > at;
    if (end < text.size() && text[end] == decimal) {
        const auto broken = digits_from(text, end + 1);
        any = any || broken > end + 1;
        end = broken;
    }
    if (!any) {
        return {.number = text.substr(0, 0), .suffix = text};
    }
    if (end + 1 < text.size() && (text[end] == 'e' || text[end] == 'E')) {
        at = end + (text[end + 1] == '+' || text[end + 1] == '-' ? 2 : 1);
        const auto exponent = digits_from(text, at);
        end = exponent > at ? exponent : end;
    }
    return {.number = text.substr(0, end), .suffix = text.substr(end)};
}

}  // namespace gateway::ascii
