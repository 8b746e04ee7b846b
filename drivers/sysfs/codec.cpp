#include "drivers/sysfs/codec.hpp"

#include "gateway/core/fraction.hpp"

#include <algorithm>
#include <cerrno>

namespace gateway::sysfs {

namespace {

Sample failure(Quality quality, Cause cause)
{
    return {.raw = {}, .quality = quality, .cause = cause};
}

Sample failure_of(const Error& error, bool optional)
{
    const bool system = error.category() == boost::system::system_category();
    const int code = system ? error.value() : 0;
    if (code == ENOENT || code == ENODEV || code == ENXIO || code == ENOTDIR ||
        error == Fault::not_found) {
        return failure(optional ? Quality::missing : Quality::comm_error, Cause::unreachable);
    }
    if (code == ENODATA) {  // hwmon: the sensor is there and has no value now
        return failure(Quality::missing, Cause::device_status);
    }
    if (code == EACCES || code == EPERM) {
        return failure(Quality::comm_error, Cause::unreachable);
    }
    const bool late = code == ETIMEDOUT || error == Fault::timed_out;
    return failure(Quality::comm_error, late ? Cause::timeout : Cause::unexpected_reply);
}

/// (raw + plus) * times, as the kernel's IIO documentation has it.
std::optional<Value> computed(std::string_view raw, const Content& content, const Source& source)
{
    const auto number = [](std::string_view text, std::int64_t otherwise) {
        const auto digits = trimmed(text);
        return digits.empty() ? std::optional(Fraction(otherwise)) : Fraction::parse(digits);
    };
    const auto value = Fraction::parse(trimmed(raw));
    const auto plus = number(content.plus, 0);
    const auto times = number(content.times, 1);
    const bool whole = value && plus && times && (source.times.empty() || !content.times.empty());
    const auto sum = whole ? value->plus(*plus) : std::nullopt;
    const auto product = sum ? sum->times(*times) : std::nullopt;
    return product ? std::optional(Value::float64(product->approximate())) : std::nullopt;
}

Sample sample_in(const Source& source, const Content& content)
{
    if (!content.text) {
        return failure_of(content.text.error(), source.optional);
    }
    std::string_view text = *content.text;
    if (source.intact && !source.intact->finds(text)) {
        return failure(Quality::comm_error, Cause::crc);
    }
    if (source.match) {
        const auto groups = source.match->groups(text);
        if (!groups) {
            return failure(Quality::comm_error, Cause::unexpected_reply);
        }
        text = groups[groups.count > 1 ? 1 : 0];
    }
    if (trimmed(text).empty()) {
        return failure(Quality::missing, Cause::device_status);
    }
    const bool factors = !source.times.empty() || !source.plus.empty();
    auto value = factors ? computed(text, content, source) : value_of(text, source.type);
    if (!value) {
        return failure(Quality::bad, Cause::not_a_number);
    }
    return {.raw = std::move(*value)};
}

bool fits(const Files& files, const std::string& base, const Source& source, const Found& found)
{
    return std::ranges::all_of(source.where, [&](const Beside& beside) {
        const auto text = files.read(base + with_stars(beside.file, found.stars));
        return text && beside.match.finds(*text);
    });
}

}  // namespace

bool Source::same_files(const Source& other) const
{
    const auto same = [](const Beside& a, const Beside& b) {
        return a.file == b.file && a.match.text() == b.match.text();
    };
    return file == other.file && times == other.times && plus == other.plus &&
           std::ranges::equal(where, other.where, same);
}

std::vector<Content> fetch(const Files& files, const std::string& base, const Source& source)
{
    const auto root = base.ends_with('/') ? base : base + '/';
    std::vector<Content> contents;
    for (const auto& found : find_files(files, root, source.file)) {
        if (!fits(files, root, source, found)) {
            continue;
        }
        const auto beside = [&](const std::string& file) {
            const auto text = file.empty() ? Result<std::string>(std::string())
                                           : files.read(root + with_stars(file, found.stars));
            return text ? *text : std::string();
        };
        contents.push_back({.text = files.read(found.path),
                            .times = beside(source.times),
                            .plus = beside(source.plus)});
    }
    return contents;
}

Sample sample_of(const Source& source, const std::vector<Content>& contents)
{
    if (contents.empty()) {
        return failure_of(Fault::not_found, source.optional);
    }
    if (contents.size() > 1 && source.pick == Pick::only) {
        return failure(Quality::bad, Cause::unexpected_reply);
    }
    std::optional<Sample> best;
    for (const auto& content : contents) {
        auto sample = sample_in(source, content);
        if (source.pick == Pick::only || source.pick == Pick::first) {
            return sample;
        }
        const bool good = sample.quality == Quality::good;
        const auto number = sample.raw.approximate();
        const bool better =
            !best || (good && (best->quality != Quality::good ||
                               (source.pick == Pick::highest ? number > best->raw.approximate()
                                                             : number < best->raw.approximate())));
        if (better) {
            best = std::move(sample);
        }
    }
    return *best;
}

}  // namespace gateway::sysfs
