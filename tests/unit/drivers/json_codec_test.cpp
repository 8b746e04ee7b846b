#include "drivers/json/body.hpp"

#include <gtest/gtest.h>

#include <re2/re2.h>

namespace gateway::json_text {
namespace {

Path path(std::string_view at, std::vector<std::string_view> fallback = {})
{
    Path path{.selects = {}, .at = parse_pointer(at), .fallback = {}};
    for (const auto other : fallback) {
        path.fallback.push_back(parse_pointer(other));
    }
    return path;
}

Location location(std::string_view at, Type type = Type::float64)
{
    return {.path = path(at), .type = type};
}

Finding found(std::string_view text, const Location& location)
{
    Document document;
    const auto parsed = document.parse(text, {});
    EXPECT_TRUE(parsed) << text << ": " << parsed.error().message();
    return parsed ? extract(document, location) : Finding{.quality = Quality::config_error};
}

/// What is read at /v.
Finding read(std::string_view value, Type type = Type::float64)
{
    return found("{\"v\":" + std::string(value) + "}", location("/v", type));
}

std::string shown(const Finding& finding)
{
    if (finding.value.is_text()) {
        return finding.value.text();
    }
    const auto decimal = apply(finding.value, Fraction(1), Fraction(0));
    return decimal ? decimal->text : std::string(to_string(finding.quality));
}

Status parse(std::string_view text, Limits limits = {})
{
    Document document;
    return document.parse(text, limits);
}

TEST(JsonDocument, RefusesWhatIsNotOneJsonValue)
{
    for (const auto* text :
         {"",         " ",   "{",      "{}x",   "{} {}",   "[1,]",        "{\"a\":1,}",
          "nul",      "01",  "1.",     ".5",    "+1",      "0x10",        "NaN",
          "Infinity", "'a'", "\"\t\"", "{a:1}", "// x\n1", "\"\\ud800\"", "\"\\x\""}) {
        EXPECT_EQ(parse(text).error(), Fault::malformed) << text;
    }
}

TEST(JsonDocument, RefusesEveryPrefixOfAGoodOne)
{
    const std::string whole = R"({"a":[1,2.5,{"b":"c\u00e9"}],"d":null,"e":true})";
    EXPECT_TRUE(parse(whole));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_FALSE(parse(std::string_view(whole).substr(0, size))) << size;
    }
}

TEST(JsonDocument, RefusesBytesThatAreNotUtf8)
{
    for (const auto* text :
         {"\"\xC3\"", "\"\xFF\"", "\"\xC0\xAF\"", "\"\xED\xA0\x80\"", "{\"\x80\":1}"}) {
        EXPECT_EQ(parse(text).error(), Fault::malformed);
    }
    EXPECT_TRUE(parse("\xEF\xBB\xBF{\"t\":\"\xC3\xA9\"}")) << "a byte order mark is passed over";
}

TEST(JsonDocument, IsBoundedInSizeDepthAndNodes)
{
    EXPECT_EQ(parse("[1,2,3]", {.bytes = 6}).error(), Fault::too_large);
    EXPECT_TRUE(parse("[1,2,3]", {.bytes = 7}));
    EXPECT_TRUE(parse(std::string(32, '[') + std::string(32, ']')));
    EXPECT_EQ(parse(std::string(33, '[') + std::string(33, ']')).error(), Fault::malformed);
    EXPECT_FALSE(parse(std::string(60'000, '[')));
    EXPECT_EQ(parse("[1,2,3]", {.nodes = 3}).error(), Fault::too_large);
    EXPECT_TRUE(parse("[1,2,3]", {.nodes = 4}));
}

TEST(JsonDocument, CanBeParsedAgain)
{
    Document document;
    ASSERT_TRUE(document.parse(R"({"a":{"b":[1,"x"]}})", {}));
    ASSERT_FALSE(document.parse("{\"a\":", {}));
    ASSERT_TRUE(document.parse(R"({"c":"y"})", {}));
    EXPECT_EQ(scalar_text(document, *document.member(document.root(), "c").node), "y");
    EXPECT_EQ(document.member(document.root(), "a").node, nullptr);
}

TEST(JsonPointer, FollowsTheExamplesOfItsStandard)
{
    Document document;
    ASSERT_TRUE(document.parse(
        R"({"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8})",
        {}));
    const auto at = [&](std::string_view pointer) {
        const auto there = find(document, document.root(), parse_pointer(pointer));
        return there.node == nullptr ? std::string("nothing") : scalar_text(document, *there.node);
    };
    EXPECT_EQ(at("/foo/0"), "bar");
    EXPECT_EQ(at("/"), "0");
    EXPECT_EQ(at("/a~1b"), "1");
    EXPECT_EQ(at("/c%d"), "2");
    EXPECT_EQ(at("/i\\j"), "5");
    EXPECT_EQ(at("/k\"l"), "6");
    EXPECT_EQ(at("/ "), "7");
    EXPECT_EQ(at("/m~0n"), "8");
    EXPECT_EQ(find(document, document.root(), parse_pointer("")).node, &document.root());
    for (const auto* none : {"/foo/2", "/foo/00", "/foo/-", "/foo/x", "/bar", "/foo/0/x", "/a/b"}) {
        EXPECT_EQ(at(none), "nothing") << none;
    }
    EXPECT_EQ(parse_pointer('/' + escape_step("a/b~c")), Pointer{"a/b~c"});
}

TEST(JsonCodec, KeepsNumbersAsTheyWereWritten)
{
    for (const auto* number :
         {"0.1", "21.4", "230.05", "-0.3", "1.7976931348623157e+308", "5e-324", "9007199254740993",
          "-9007199254740993", "9223372036854775807", "18446744073709551615", "1234567.891"}) {
        const auto finding = read(number);
        EXPECT_EQ(finding.quality, Quality::good) << number;
        EXPECT_EQ(shown(finding), number);
    }
    EXPECT_EQ(shown(read("1e3")), "1000");
    EXPECT_EQ(shown(read("-0.0")), "0");
    EXPECT_EQ(read("21").value.kind(), Kind::float64) << "as 21.5 would be";
    EXPECT_EQ(read("21", Type::int64).value, Value::integer(21));
    EXPECT_EQ(read("21.0", Type::int64).value, Value::integer(21));
    EXPECT_EQ(read("2.1e1", Type::uint64).value, Value::integer(21));
}

TEST(JsonCodec, CallsANumberThatHasNoPlaceInItsTypeBad)
{
    const std::pair<const char*, Type> cases[] = {{"1e309", Type::float64},
                                                  {"-1e99999", Type::float64},
                                                  {"123456789012345678901234567890", Type::float64},
                                                  {"9223372036854775808", Type::int64},
                                                  {"1e19", Type::int64},
                                                  {"21.5", Type::int64},
                                                  {"-1", Type::uint64},
                                                  {"-1e2", Type::uint64},
                                                  {"18446744073709551616", Type::uint64},
                                                  {"2", Type::flag}};
    for (const auto& [number, type] : cases) {
        const auto finding = read(number, type);
        EXPECT_EQ(finding.quality, Quality::bad) << number;
        EXPECT_EQ(finding.cause, Cause::not_a_number) << number;
        EXPECT_TRUE(finding.value.is_none()) << number;
    }
}

TEST(JsonCodec, ReadsNumbersInTexts)
{
    EXPECT_EQ(shown(read("\"230.4\"")), "230.4");
    EXPECT_EQ(shown(read("\" +12 \"")), "12");
    EXPECT_EQ(read("\"-7\"", Type::int64).value, Value::integer(-7));
    for (const auto* text : {"\"\"", "\"21,5\"", "\"21.5 C\"", "\"nan\"", "\"inf\"", "\"0x10\"",
                             "\"1 2\"", "\"--\"", "\".5\"", "\"1e\"", "\"++1\""}) {
        EXPECT_EQ(read(text).quality, Quality::bad) << text;
        EXPECT_EQ(read(text).cause, Cause::unexpected_reply) << text;
    }
}

TEST(JsonCodec, SaysWhyThereIsNoValue)
{
    EXPECT_EQ(read("null").quality, Quality::missing);
    EXPECT_EQ(read("null").cause, Cause::sentinel);
    for (const auto* wrong : {"true", "[]", "{}", "[1]"}) {
        EXPECT_EQ(read(wrong).quality, Quality::bad) << wrong;
        EXPECT_EQ(read(wrong).cause, Cause::unexpected_reply) << wrong;
    }
    const auto absent = found("{\"w\":1}", location("/v"));
    EXPECT_EQ(absent.quality, Quality::missing);
    EXPECT_EQ(absent.cause, Cause::unexpected_reply);
    EXPECT_TRUE(absent.absent);
    auto optional = location("/v");
    optional.optional = true;
    EXPECT_EQ(found("{\"w\":1}", optional).cause, Cause::none);
    EXPECT_EQ(found("[]", location("/0/v")).quality, Quality::missing);
}

TEST(JsonCodec, CallsAKeyThatIsThereTwiceBad)
{
    EXPECT_EQ(found(R"({"v":1,"v":1})", location("/v")).quality, Quality::bad);
    EXPECT_EQ(found(R"({"v":{"x":1},"v":{"y":2}})", location("/v/x")).quality, Quality::bad);
    EXPECT_EQ(found(R"({"v":1,"v":2,"w":3})", location("/w")).quality, Quality::good);
}

TEST(JsonCodec, ReadsSwitchesInTheWordsOfDevices)
{
    for (const auto* on : {"true", "1", "\"on\"", "\"ON\"", "\"True\"", "\"1\""}) {
        EXPECT_EQ(read(on, Type::flag).value, Value::integer(1)) << on;
    }
    for (const auto* off : {"false", "0", "\"off\"", "\"OFF\"", "\"0\""}) {
        EXPECT_EQ(read(off, Type::flag).value, Value::integer(0)) << off;
    }
    EXPECT_EQ(read("\"open\"", Type::flag).quality, Quality::bad);
}

TEST(JsonCodec, TurnsWordsIntoCodes)
{
    auto door = location("/v", Type::int64);
    door.codes = {{"closed", 0}, {"open", 1}, {"true", 7}, {"3", 9}};
    EXPECT_EQ(found(R"({"v":"open"})", door).value, Value::integer(1));
    EXPECT_EQ(found(R"({"v":true})", door).value, Value::integer(7));
    EXPECT_EQ(found(R"({"v":3})", door).value, Value::integer(9));
    EXPECT_EQ(found(R"({"v":"ajar"})", door).quality, Quality::bad);
    EXPECT_EQ(found(R"({"v":"ajar"})", door).cause, Cause::bad_enum);
}

TEST(JsonCodec, TakesThePartThatTheExpressionNames)
{
    auto firmware = location("/v", Type::text);
    firmware.match = std::make_shared<const re2::RE2>(".*/v?([0-9.]+).*");
    EXPECT_EQ(shown(found(R"({"v":"20230913-112003/v1.14.0-gcb84623"})", firmware)), "1.14.0");
    EXPECT_EQ(found(R"({"v":"none"})", firmware).quality, Quality::bad);
    auto level = location("/v");
    level.match = std::make_shared<const re2::RE2>("([0-9.]+) *cm");
    EXPECT_EQ(shown(found(R"({"v":"12.5 cm"})", level)), "12.5");
}

TEST(JsonCodec, BoundsTexts)
{
    EXPECT_EQ(shown(read('"' + std::string(160, 'x') + '"', Type::text)), std::string(160, 'x'));
    EXPECT_EQ(read('"' + std::string(161, 'x') + '"', Type::text).quality, Quality::bad);
    EXPECT_EQ(read("\"a\\u0000b\"", Type::text).quality, Quality::bad);
    EXPECT_EQ(read("\"a\\nb\"", Type::text).quality, Quality::bad);
    EXPECT_EQ(shown(read("4711", Type::text)), "4711");
    EXPECT_EQ(shown(read("false", Type::text)), "false");
}

TEST(JsonCodec, FallsBackInOrderAndPastNull)
{
    const Location either{.path = path("/new", {"/old", "/older"})};
    EXPECT_EQ(shown(found(R"({"new":1,"old":2})", either)), "1");
    EXPECT_EQ(shown(found(R"({"old":2,"older":3})", either)), "2");
    EXPECT_EQ(shown(found(R"({"new":null,"older":3})", either)), "3");
    EXPECT_EQ(found(R"({"new":null})", either).cause, Cause::sentinel);
    EXPECT_EQ(found(R"({"new":"x","old":2})", either).quality, Quality::bad)
        << "what is there and wrong is not passed over";
}

TEST(JsonCodec, AFallbackStartsFromTheWholeDocument)
{
    Location chosen{.path = path("/v", {"/w"})};
    chosen.path.selects = {{parse_pointer("/list"), parse_pointer("/k"), "1"}};
    EXPECT_EQ(shown(found(R"({"list":[{"k":1,"v":5}],"w":6})", chosen)), "5");
    EXPECT_EQ(shown(found(R"({"list":[{"k":2,"v":5}],"w":6})", chosen)), "6");
    EXPECT_EQ(shown(found(R"({"w":6})", chosen)), "6");
    EXPECT_EQ(found(R"({"list":[{"k":1,"v":5},{"k":1,"v":7}],"w":6})", chosen).quality,
              Quality::bad);
}

Select select(std::string_view list, std::string_view key, std::string equals)
{
    return {parse_pointer(list), parse_pointer(key), std::move(equals)};
}

TEST(JsonCodec, ChoosesOneElementByWhatItHolds)
{
    constexpr auto text = R"({"sensors":[{"type":"pm","values":[{"id":1,"v":"7.5"},{"id":2,"v":9}]},
                                         {"type":"temp","values":[{"id":1,"v":21.5}]}]})";
    Location pm{.path = path("/v")};
    pm.path.selects = {select("/sensors", "/type", "pm"), select("/values", "/id", "1")};
    EXPECT_EQ(shown(found(text, pm)), "7.5");
    pm.path.selects[1].equals = "2";
    EXPECT_EQ(shown(found(text, pm)), "9");
    pm.path.selects[1].equals = "3";
    EXPECT_EQ(found(text, pm).quality, Quality::missing);
    pm.path.selects = {select("/sensors", "/type", "temp"), select("/values", "/id", "1")};
    EXPECT_EQ(shown(found(text, pm)), "21.5");
}

TEST(JsonCodec, ChoosesMembersOfAnObjectAndRefusesTwo)
{
    Location probe{.path = path("/t")};
    probe.path.selects = {select("", "/id", "28FF")};
    EXPECT_EQ(shown(found(R"({"a":{"id":"28AA","t":1},"b":{"id":"28FF","t":2.5}})", probe)), "2.5");
    EXPECT_EQ(found(R"([{"id":"28FF","t":1},{"id":"28FF","t":2}])", probe).quality, Quality::bad);
    EXPECT_EQ(found(R"({"a":1})", probe).quality, Quality::missing);
}

TEST(JsonBody, ReadsPlainTextAndJsonOfOneSource)
{
    DeviceMap map;
    map.sources = {"switch"};
    auto plain = location("", Type::flag);
    plain.plain = true;
    map.points = {plain};
    Body body(map);
    ASSERT_TRUE(body.take("ON", 0));
    Samples samples;
    const std::uint16_t row = 0;
    body.collect(map.points, {&row, 1}, samples);
    ASSERT_EQ(samples.size(), 1U);
    EXPECT_EQ(samples[0].raw, Value::integer(1));
}

TEST(JsonBody, CountsOnlyWhatTheProfileWants)
{
    DeviceMap map;
    map.sources = {"events"};
    map.points = {location("/t")};
    map.only = {{parse_pointer("/id"), "1234"}, {parse_pointer("/model"), "Acurite"}};
    Body body(map);
    ASSERT_TRUE(body.take(R"({"id":1234,"model":"Acurite","t":1})", 0));
    EXPECT_TRUE(body.counts());
    ASSERT_TRUE(body.take(R"({"id":1235,"model":"Acurite","t":1})", 0));
    EXPECT_FALSE(body.counts());
    ASSERT_TRUE(body.take(R"({"model":"Acurite","t":1})", 0));
    EXPECT_FALSE(body.counts());
}

TEST(JsonCodec, ACountIsOfElementsOrMembers)
{
    EXPECT_EQ(read("[1,[2,3],{}]", Type::count).value, Value::integer(3));
    EXPECT_EQ(read("[]", Type::count).value, Value::integer(0));
    EXPECT_EQ(read(R"({"a":1,"b":{"c":2}})", Type::count).value, Value::integer(2));
    EXPECT_EQ(read("3", Type::count).quality, Quality::bad);
    EXPECT_EQ(read("\"abc\"", Type::count).quality, Quality::bad);
    EXPECT_EQ(read("null", Type::count).quality, Quality::missing);
}

}  // namespace
}  // namespace gateway::json_text
