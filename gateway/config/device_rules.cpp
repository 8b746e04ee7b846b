// What one value of a device says of the quality and the age of others, and how a device is woken.
#include "gateway/config/profile_parts.hpp"

#include <charconv>

namespace gateway {

namespace {

using namespace std::chrono_literals;

const Choices<Quality> qualities{{"good", Quality::good},
                                 {"suspect", Quality::suspect},
                                 {"missing", Quality::missing},
                                 {"stale", Quality::stale},
                                 {"bad", Quality::bad}};

/// "64..127" or one code.
std::optional<std::pair<Value, Value>> codes_of(const std::string& key, const Point& point)
{
    const auto dots = key.find("..");
    if (dots == std::string::npos || point.kind == "text") {
        const auto one = code_of(key, point);
        return one ? std::optional(std::pair(*one, *one)) : std::nullopt;
    }
    const auto low = code_of(key.substr(0, dots), point);
    const auto high = code_of(key.substr(dots + 2), point);
    const bool range = low && high && low->approximate() <= high->approximate();
    return range ? std::optional(std::pair(*low, *high)) : std::nullopt;
}

void parse_codes(const Field& codes, const Point& other, StatusRule& rule)
{
    codes.table([&](Table& keys) {
        for (const auto& [key, setting] : keys.settings()) {
            const auto field = keys[key];
            auto quality = Quality::suspect;
            field.choice(quality, qualities);
            if (auto range = codes_of(key, other)) {
                rule.codes.push_back({std::move(range->first), std::move(range->second), quality});
            } else {
                field.mistake("\"" + key + "\" is not a value that " + other.kind + " can have");
            }
        }
    });
}

void parse_bits(const Field& bits, const Point& other, StatusRule& rule)
{
    if (bits && (other.kind == "text" || other.kind.starts_with("float"))) {
        bits.mistake("belong to whole numbers, but the value is read as " + other.kind);
        return;
    }
    bits.table([&](Table& keys) {
        for (const auto& [key, setting] : keys.settings()) {
            const auto field = keys[key];
            unsigned bit = 64;
            const auto* const end = key.data() + key.size();
            const auto parsed = std::from_chars(key.data(), end, bit);
            if (parsed.ec != std::errc{} || parsed.ptr != end || bit > 63) {
                field.mistake("the key is not a bit; write a number from 0 to 63");
            }
            auto quality = Quality::suspect;
            field.choice(quality, qualities);
            rule.bits.emplace_back(bit, quality);
        }
    });
}

/// `points`, each one that exists.
std::vector<std::string> parse_points(Table& keys, ProfileContext& context)
{
    std::vector<std::string> points;
    const auto field = keys["points"];
    field.texts(points);
    for (const auto& item : field.items()) {
        if (const auto id = item.as_text(any_text, 160)) {
            refer(item, *id, context);
        }
    }
    return points;
}

void parse_age(Table& keys, const Point& owner, ProfileContext& context)
{
    AgeRule rule;
    rule.point = parse_source(keys, "time", owner, context);
    rule.points = parse_points(keys, context);
    keys.need("is", "is = \"unix\", \"unix-ms\" or \"seconds-ago\"")
        .choice(rule.is, {{"unix", AgeRule::Is::unix_seconds},
                          {"unix-ms", AgeRule::Is::unix_ms},
                          {"seconds-ago", AgeRule::Is::seconds_ago}});
    keys.need("stale", "stale = \"10m\"").duration(rule.stale, 1s);
    context.profile.ages.push_back(std::move(rule));
}

/// A value that belongs to no point takes its place in the file for mistakes.
Point owner_of(const Table& keys, std::string id)
{
    Point owner;
    owner.id = std::move(id);
    owner.place = keys.place();
    return owner;
}

}  // namespace

void parse_status(Table& keys, const Point& owner, std::vector<std::string> points,
                  ProfileContext& context)
{
    StatusRule rule{.points = std::move(points), .codes = {}, .bits = {}};
    rule.point = parse_source(keys, "status", owner, context);
    const auto codes = keys["codes"];
    const auto bits = keys["bits"];
    keys["otherwise"].choice(rule.otherwise, qualities);
    if (!codes && !bits) {
        keys.mistake("says nothing; write bits = { 0 = \"bad\" } or codes = { 8 = \"suspect\" }");
    }
    context.later.emplace_back([&context, codes, bits, rule]() mutable {
        if (const auto* other = parsed_point(context, rule.point)) {
            parse_codes(codes, *other, rule);
            parse_bits(bits, *other, rule);
            context.profile.status.push_back(std::move(rule));
        }
    });
}

void parse_device_rules(Table& document, ProfileContext& context)
{
    document["status"].tables([&](Table& keys) {
        const auto owner = owner_of(keys, "status" + std::to_string(context.hidden.size()));
        parse_status(keys, owner, parse_points(keys, context), context);
    });
    document["age"].tables([&](Table& keys) {
        parse_age(keys, owner_of(keys, "age" + std::to_string(context.hidden.size())), context);
    });
    document["wake"].table([&](Table& keys) {
        auto& wake = context.profile.wake.emplace();
        if (keys["read"] || keys["point"]) {
            wake.point = parse_source(keys, "read", owner_of(keys, "wake"), context);
        }
        keys["idle"].duration(wake.idle, 10ms);
        keys["settle"].duration(wake.settle, 0ms, 10min);
        if (!keys["read"] && !keys["point"] && wake.settle == Duration::zero()) {
            keys.mistake("says nothing; write read, settle or both");
        }
    });
}

}  // namespace gateway
