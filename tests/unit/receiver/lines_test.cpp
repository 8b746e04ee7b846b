#include "gateway/receiver/lines.hpp"
#include "tests/unit/receiver/fixtures.hpp"

#include "gateway/receiver/json_text.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

namespace gateway::lines_test {
namespace {

using test::header;
using test::reading;

std::shared_ptr<const Dictionary> dictionary()
{
    const auto text = test::dictionary_text();
    auto parsed = Dictionary::parse(text, test::dictionary_topic(text));
    EXPECT_TRUE(parsed.has_value());
    return std::make_shared<const Dictionary>(std::move(*parsed));
}

// The line of one reading after a way over the wire.
std::string line_of(const Reading& sent, const BatchHeader& head = header(7))
{
    const auto bytes = encode(head, std::span(&sent, 1));
    const auto batch = decode(bytes);
    const std::vector dictionaries{dictionary()};
    ReadingLines lines(test::org, batch->header, wall_minus_boot_ms(batch->header), dictionaries);
    std::string out;
    lines.append(out, batch->header.first, std::get<std::vector<Reading>>(batch->content).front());
    return out;
}

std::string value_of(const Reading& sent)
{
    const auto line = line_of(sent);
    const auto from = line.find(R"("value":)") + 8;
    return line.substr(from, line.find(R"(,"unit")") - from);
}

TEST(ReadingLine, HasEveryFieldInOrder)
{
    EXPECT_EQ(
        line_of(reading(0, Value::float32(230.4F))),
        R"({"line":"reading","box":"place-1714000.box-0001","org":"place-1714000",)"
        R"("epoch":"00112233445566778899aabbccddeeff","lane":"telemetry","seq":7,"device":"meter",)"
        R"("name":"Main","point":"voltage","title":"Voltage \"L1\"","quantity":"electrical.voltage",)"
        R"("time":"2026-08-01T10:00:00.250Z","boot_ms":1250,"value":230.4,"unit":"V",)"
        R"("quality":"good","cause":null,"clock":"synced","publish":"open",)"
        R"("location":{"lat":41.88,"lon":-87.63},"profile":"il.meter@1.0.0",)"
        R"("verdict":{"identity":"verified","contract":"unsigned"}})"
        "\n");
}

TEST(ReadingLine, OfAnAlarmNamesItAndSaysHowBadItIs)
{
    const auto line = line_of(reading(32768, Value::integer(1)), header(1, Lane::alarm));
    EXPECT_NE(line.find(R"("lane":"alarm","seq":1,"device":"meter","name":"Main",)"
                        R"("point":"under_voltage","title":null,"quantity":null,)"),
              std::string::npos);
    EXPECT_NE(line.find(R"("value":1,"unit":null,)"), std::string::npos);
    EXPECT_NE(line.find(R"("publish":"open",)"), std::string::npos) << "the point's";
    EXPECT_NE(line.find(R"(,"severity":"warning","text":"Supply voltage low"})"),
              std::string::npos);
}

TEST(ReadingLine, OfAFailureSaysWhy)
{
    auto failed = reading(Alias::whole_device, Value());
    failed.quality = Quality::comm_error;
    failed.cause = exception_cause(2);
    const auto line = line_of(failed);
    EXPECT_NE(line.find(R"("point":null,)"), std::string::npos);
    EXPECT_NE(line.find(R"("value":null,"unit":null,"quality":"comm_error","cause":"exception_2")"),
              std::string::npos);
}

TEST(ReadingLine, HasNoTimeWhileTheClockIsUnset)
{
    const auto line =
        line_of(reading(0, Value::float32(1)), header(1, Lane::telemetry, ClockState::unset));
    EXPECT_NE(line.find(R"("time":null,"boot_ms":1250,)"), std::string::npos);
    EXPECT_NE(line.find(R"("clock":"unset")"), std::string::npos);
}

TEST(ReadingLine, KeepsAPointThatTheDictionaryLacks)
{
    const auto line = line_of(reading(77, Value::integer(5)));
    EXPECT_NE(line.find(R"("point":"row-77",)"), std::string::npos);
    EXPECT_NE(line.find(R"("value":5,)"), std::string::npos);
}

TEST(ReadingLine, OfTheBoxIsAnEvent)
{
    const Reading event{
        .alias = {0, 0},
        .time = BootTime(std::chrono::milliseconds(2'000)),
        .value = Value::of_text(
            R"({"type":"event","code":"device-down","severity":"warning","line":"reading","text":"No \"answer\"","subject":"meter"})")};
    EXPECT_EQ(line_of(event, header(4, Lane::control)),
              R"({"line":"event","box":"place-1714000.box-0001","org":"place-1714000",)"
              R"("epoch":"00112233445566778899aabbccddeeff","seq":4,)"
              R"("time":"2026-08-01T10:00:01.000Z","boot_ms":2000,"type":"event",)"
              R"("code":"device-down","severity":"warning","text":"No \"answer\"",)"
              R"("subject":"meter"})"
              "\n");
}

TEST(ReadingValue, IsScaledExactlyAndRoundedOnce)
{
    EXPECT_EQ(value_of(reading(1, Value::integer(212))), "100");
    EXPECT_EQ(value_of(reading(1, Value::integer(33))), "0.5555555555555556");
    EXPECT_EQ(value_of(reading(0, Value::float32(0.1F))), "0.1");
}

TEST(ReadingValue, OfAnEnumIsItsNameElseTheNumber)
{
    EXPECT_EQ(value_of(reading(2, Value::integer(1))), R"("open")");
    EXPECT_EQ(value_of(reading(2, Value::unsigned_integer(~0ULL))), R"("broken")");
    EXPECT_EQ(value_of(reading(2, Value::integer(9))), "9");
    EXPECT_EQ(value_of(reading(2, Value::integer(-1))), "-1") << "the same bits as 2^64 - 1";
}

TEST(ReadingValue, OfATextIsEscapedAndAlwaysUtf8)
{
    EXPECT_EQ(value_of(reading(3, Value::of_text("a\"b\\c\n\x01 \xC3\xA9"))),
              "\"a\\\"b\\\\c\\n\\u0001 \xC3\xA9\"");
    EXPECT_EQ(value_of(reading(3, Value::of_text("\xFFx\xED\xA0\x80"))),
              "\"\xEF\xBF\xBDx\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
    EXPECT_EQ(value_of(reading(3, Value::of_text("\xE2\x82"))), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"")
        << "cut in the middle of a character";
}

TEST(ReadingValue, BeyondADoubleIsAText)
{
    EXPECT_EQ(value_of(reading(4, Value::unsigned_integer(9'007'199'254'740'992))),
              "9007199254740992");
    EXPECT_EQ(value_of(reading(4, Value::unsigned_integer(9'007'199'254'740'993))),
              R"("9007199254740993")");
    EXPECT_EQ(value_of(reading(4, Value::unsigned_integer(18'446'744'073'709'551'615ULL))),
              R"("18446744073709551615")");
}

TEST(ReadingValue, OfANumberThatIsNoneIsNull)
{
    EXPECT_EQ(value_of(reading(0, Value::float32(std::numeric_limits<float>::quiet_NaN()))),
              "null");
    EXPECT_EQ(value_of(reading(0, Value::float32(-std::numeric_limits<float>::infinity()))),
              "null");
    EXPECT_EQ(value_of(reading(0, Value())), "null");
}

// The number in the line, whether written as a number or as a text.
std::string unquoted(std::string text)
{
    std::erase(text, '"');
    return text;
}

TEST(ReadingValue, SurvivesToTheLineForEveryIntegerAndFloat)
{
    std::mt19937_64 random(20'260'801);
    for (int i = 0; i < 300; ++i) {
        const auto bits = random() >> (random() % 64);
        const auto number = static_cast<std::int64_t>(bits);
        EXPECT_EQ(unquoted(value_of(reading(4, Value::integer(number)))), std::to_string(number));
        EXPECT_EQ(unquoted(value_of(reading(4, Value::unsigned_integer(bits)))),
                  std::to_string(bits));
        const auto single = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
        if (std::isfinite(single)) {
            const auto text = unquoted(value_of(reading(0, Value::float32(single))));
            EXPECT_EQ(std::strtof(text.c_str(), nullptr), single) << text;
        }
    }
}

TEST(GapLine, SaysWhatIsLostAndWhy)
{
    std::string out;
    const LineKey key{test::box, test::org, test::epoch, Lane::billing};
    append_gap(out, key, 5, 9, to_string(LossReason::volatile_store), 1'785'578'400'000,
               std::nullopt);
    EXPECT_EQ(out, R"({"line":"gap","box":"place-1714000.box-0001","org":"place-1714000",)"
                   R"("epoch":"00112233445566778899aabbccddeeff","lane":"billing","first":5,)"
                   R"("last":9,"reason":"volatile","first_time":"2026-08-01T10:00:00.000Z",)"
                   R"("last_time":null})"
                   "\n");
}

TEST(CorrectionLine, DatesABoot)
{
    std::string out;
    append_correction(out, test::box, test::org, test::boot, 1'785'578'399'000, 12);
    EXPECT_EQ(out, R"({"line":"correction","box":"place-1714000.box-0001","org":"place-1714000",)"
                   R"("boot":"0f0e0d0c0b0a09080706050403020100",)"
                   R"("wall_minus_boot_ms":1785578399000,"error_ms":12})"
                   "\n");
}

TEST(Utc, CoversNegativeTimesAndRefusesYearsBeyondFourDigits)
{
    UtcText utc;
    std::string out;
    utc.append(out, -1);
    utc.append(out, 999);
    utc.append(out, std::numeric_limits<std::int64_t>::max());
    utc.append(out, std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(out, R"("1969-12-31T23:59:59.999Z""1970-01-01T00:00:00.999Z"nullnull)");
}

std::string refusal(const std::string& text, const Topic& topic)
{
    const auto parsed = Dictionary::parse(text, topic);
    return parsed.has_value() ? "" : parsed.error().reason;
}

TEST(DictionaryFromOutside, IsRefusedUnlessWholeAndOfItsTopic)
{
    const auto good = test::dictionary_text();
    EXPECT_EQ(refusal(good, test::dictionary_topic(good)), "");
    auto other_hash = test::dictionary_topic(good);
    other_hash.hash ^= 1;
    EXPECT_NE(refusal(good, other_hash), "");
    EXPECT_NE(refusal(good, test::dictionary_topic(good, "another-box")), "");
    const auto changed = [&](const std::string& from, const std::string& to) {
        auto text = good;
        text.replace(text.find(from), from.size(), to);
        return refusal(text, test::dictionary_topic(text));
    };
    EXPECT_NE(changed(R"("index":3)", R"("index":0)"), "");
    EXPECT_NE(changed(R"("index":3)", R"("index":70000)"), "");
    EXPECT_NE(changed(R"("row":1,)", R"("row":0,)"), "") << "a row twice";
    EXPECT_NE(changed(R"("row":1,)", R"("row":-1,)"), "");
    EXPECT_NE(changed(R"("row":32768)", R"("row":5)"), "") << "an alarm among the points";
    EXPECT_NE(changed("5/9", "5/0"), "");
    EXPECT_NE(changed(R"("0":"closed")", R"("x":"closed")"), "");
    EXPECT_NE(changed(R"(dictionary/1)", R"(dictionary/2)"), "");
    for (std::size_t size = 0; size < good.size(); size += 7) {
        const auto prefix = good.substr(0, size);
        EXPECT_NE(refusal(prefix, test::dictionary_topic(prefix)), "") << size;
    }
}

TEST(TopicFromOutside, IsRefusedUnlessOfThisProtocol)
{
    const auto parsed = parse_topic("ss1/place-1714000/dict/box-1/0123456789abcdef");
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->hash, 0x0123456789abcdefU);
    EXPECT_EQ(parse_topic("ss1/a/history/b")->kind, TopicKind::history);
    for (const auto* bad : {"", "ss1", "ss2/a/data/b", "ss1/a/data", "ss1/a/data/", "ss1/A/data/b",
                            "ss1/a/data/b/c", "ss1/a/dict/b", "ss1/a/dict/b/xyz", "ss1/a/receipt/b",
                            "ss1/a/data/../b", "ss1//data/b"}) {
        EXPECT_FALSE(parse_topic(bad).has_value()) << bad;
    }
}

}  // namespace
}  // namespace gateway::lines_test
