#include "drivers/http_json/auth.hpp"
#include "drivers/json/codec.hpp"
#include "drivers/json/time_text.hpp"
#include "drivers/mqtt_json/topic.hpp"

#include <cmath>
#include <cstdlib>

namespace {

using namespace gateway;
using namespace gateway::json_text;

void expect(bool holds)
{
    if (!holds) {
        std::abort();
    }
}

Location location(std::string_view pointer, Type type)
{
    Location location;
    location.path.at = parse_pointer(pointer);
    location.type = type;
    return location;
}

/// A good value is one of its type, and every other has a reason.
void check(const Finding& finding, Type type)
{
    expect(finding.value.is_none() == (finding.quality != Quality::good));
    expect(finding.quality == Quality::good || finding.cause != Cause::none);
    const auto kind = finding.value.kind();
    if (finding.quality != Quality::good) {
        return;
    }
    switch (type) {
        case Type::int64:
            expect(kind == Kind::int32 || kind == Kind::int64);
            break;
        case Type::uint64:
            expect(finding.value.is_integer());
            break;
        case Type::float64:
            expect(finding.value.is_integer() ||
                   (kind == Kind::float64 && std::isfinite(finding.value.as_float64())));
            break;
        case Type::text:
            expect(kind == Kind::text && finding.value.text().size() <= 160);
            break;
        case Type::count:
            expect(finding.value.is_integer() && finding.value.as_int64() >= 0);
            break;
        case Type::flag:
            expect(finding.value == Value::integer(0) || finding.value == Value::integer(1));
            break;
    }
}

void read_all(const Document& document)
{
    for (const auto* pointer : {"", "/a", "/v", "/0", "/a/0/b", "/1/v"}) {
        for (int type = 0; type <= static_cast<int>(Type::count); ++type) {
            const auto of = static_cast<Type>(type);
            check(extract(document, location(pointer, of)), of);
            auto chosen = location(pointer, of);
            chosen.path.selects.push_back({parse_pointer("/list"), parse_pointer("/k"), "1"});
            check(extract(document, chosen), of);
        }
    }
}

}  // namespace

/// The first byte chooses who reads the rest.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0) {
        return 0;
    }
    const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
    if (data[0] == 't') {
        for (const auto* format : {"unix", "unix_ms", "iso8601", "age", "%Y-%m-%d %H:%M:%S%z",
                                   "%d %b %y %I:%M %p", "%F %T.%f"}) {
            parse_time(text, *parse_format(format), WallTime(std::chrono::hours(500'000)));
        }
        parse_time(text, {}, std::nullopt);
        parse_zone(text);
        if (const auto format = parse_format(text)) {
            parse_time("2026-03-10 12:00:00", *format, std::nullopt);
        }
        return 0;
    }
    if (data[0] == 'd') {
        if (const auto challenge = http_json::parse_challenge(text)) {
            const auto answer =
                http_json::digest_answer(*challenge, {"user", "secret"}, "/", 1, "c");
            expect(answer.starts_with("Digest username="));
        }
        return 0;
    }
    if (data[0] == 'm') {
        const auto middle = text.size() / 2;
        mqtt_json::matches(text.substr(0, middle), text.substr(middle));
        expect(mqtt_json::matches("#", text) == !text.starts_with('$'));
        return 0;
    }
    Document document;
    const Limits limits{.bytes = 65'536, .depth = 32, .nodes = 4'096};
    if (document.parse(text, limits)) {
        read_all(document);
    }
    return 0;
}
