#include "drivers/ascii/codec.hpp"

#include "drivers/ascii/device_time.hpp"
#include "drivers/ascii/frames.hpp"
#include "drivers/ascii/line_map.hpp"

#include <gtest/gtest.h>

#include <random>

namespace gateway::ascii {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

/// What comes out when the text arrives in chunks of this size; "!" for a line that was dropped.
Lines cut(Frames& frames, std::string_view text, std::size_t chunk = 1000)
{
    Lines lines;
    for (; !text.empty(); text.remove_prefix(std::min(chunk, text.size()))) {
        frames.add(text.substr(0, chunk));
        while (const auto line = frames.next()) {
            lines.push_back(*line ? std::string(**line) : "!");
        }
    }
    return lines;
}

TEST(AsciiFrames, CrLfAndBothEndALineAndEmptyLinesAreNone)
{
    for (const std::size_t chunk : {1U, 2U, 3U, 100U}) {
        Frames frames("", "", 20);
        EXPECT_EQ(cut(frames, "a\r\nb\n\n\rc\rd", chunk), (Lines{"a", "b", "c"}));
        EXPECT_EQ(frames.pending(), 1U);
    }
}

TEST(AsciiFrames, ALineWithItsOwnStartAndEndMayHoldLineBreaks)
{
    Frames frames("\x02", "\x03", 50);
    EXPECT_EQ(cut(frames,
                  "noise\x02"
                  "a\r\nb\x03"
                  "16\r\n\x02"
                  "c\x03"),
              (Lines{"\x02"
                     "a\r\nb",
                     "\x02"
                     "c"}));
}

TEST(AsciiFrames, D2_GarbageAndACutLineCostOnlyThemselves)
{
    Frames frames("$", "", 50);
    EXPECT_EQ(cut(frames, "\xff\xfe$WIMWV,21\r\nx$WIMWV,21$WIMWV,214.8*2D\r\nno start\r\n$ok\r\n"),
              (Lines{"$WIMWV,21", "$WIMWV,214.8*2D", "$ok"}));
}

TEST(AsciiFrames, AStreamEnteredInTheMiddleBeginsWithTheNextLine)
{
    Frames frames("", "", 50);
    frames.clear(true);
    EXPECT_EQ(cut(frames, "3.5,7\r\n1.0,2.0\r\n"), (Lines{"1.0,2.0"}));
    Frames started("$", "", 50);
    started.clear(true);
    EXPECT_EQ(cut(started, "3.5,7$whole\r\n"), (Lines{"$whole"}));
}

TEST(AsciiFrames, AnEndlessLineIsBoundedToldOnceAndTheNextOneIsWhole)
{
    for (const std::size_t chunk : {1U, 7U, 512U}) {
        Frames frames("", "", 20);
        auto text = std::string(10'000, 'x') + "\r\nshort\r\n" + std::string(21, 'y') + "\nend\n";
        EXPECT_EQ(cut(frames, text, chunk), (Lines{"!", "short", "!", "end"})) << chunk;
        EXPECT_LT(frames.pending(), 600U);
    }
    Frames started("$", "", 20);
    EXPECT_EQ(cut(started, std::string(10'000, 'x') + "$ok\r\n", 3), (Lines{"$ok"}));
    Frames ended("", "END", 20);
    EXPECT_EQ(cut(ended, std::string(10'000, 'E') + "NDxEND", 3), (Lines{"!", "x"}));
}

TEST(AsciiFrames, SilenceMayEndALine)
{
    Frames frames("", "", 50);
    frames.add("Q,229");
    EXPECT_FALSE(frames.next());
    frames.end_here();
    EXPECT_EQ(**frames.next(), "Q,229");
}

TEST(AsciiChecksum, TheNumbersOfTheMakersManuals)
{
    // NMEA 0183 and Vaisala WMT700, table of polling strings.
    EXPECT_EQ(checksum_of(Checksum::nmea, "WIPAQ,"), 0x72);
    EXPECT_EQ(checksum_of(Checksum::nmea, "WITXT,01,01,03,Unknown cmd error"), 0x1F);
    // Vaisala WXT530, requests with CRC, and the answer that tells the right one.
    const auto vaisala = [](std::string_view text) {
        return written(Checksum::crc16_ascii3, checksum_of(Checksum::crc16_ascii3, text));
    };
    EXPECT_EQ(vaisala("0r1"), "Goe");
    EXPECT_EQ(vaisala("0r2"), "Gje");
    EXPECT_EQ(vaisala("0r3"), "Kid");
    EXPECT_EQ(vaisala("0r5"), "Kcd");
    EXPECT_EQ(vaisala("0r0"), "Kld");
    EXPECT_EQ(vaisala("0+0.04+10+14.8+0.0+0+0.0"), "INy");  // SDI-12
    // The check values of the CRC catalogue.
    EXPECT_EQ(checksum_of(Checksum::crc16, "123456789"), 0x4B37);
    EXPECT_EQ(checksum_of(Checksum::crc16_arc, "123456789"), 0xBB3D);
    EXPECT_EQ(checksum_of(Checksum::crc16_ccitt, "123456789"), 0x29B1);
    EXPECT_EQ(checksum_of(Checksum::crc16_xmodem, "123456789"), 0x31C3);
    EXPECT_EQ(checksum_of(Checksum::sum8, "123456789"), 0xDD);
    EXPECT_EQ(checksum_of(Checksum::lrc8, "123456789"), 0x23);
    EXPECT_EQ(written(Checksum::crc16, 0x0A37), "0A37");
    EXPECT_EQ(written(Checksum::xor8, 0x06), "06");
}

Grammar grammar(Checksum kind, const std::string& start = {})
{
    Grammar grammar{.start = start, .end = {}};
    grammar.checksum = kind;
    grammar.checked = usual_place(kind, start);
    return grammar;
}

std::string body(const Grammar& by, std::string_view line)
{
    const auto found = body_of(by, line);
    return found ? std::string(*found) : "!" + found.error().message();
}

TEST(AsciiChecksum, D2_AWrongOneIsNoLineAndAnAbsentOneOnlyWhereItMayBe)
{
    auto nmea = grammar(Checksum::nmea, "$");
    EXPECT_EQ(body(nmea, "$WIMWV,084.0,R,10.4,M,A*19"), "WIMWV,084.0,R,10.4,M,A");
    EXPECT_EQ(body(nmea, "$WIMWV,084.0,R,10.4,M,A*04"), "!checksum mismatch");
    EXPECT_EQ(body(nmea, "$WIMWV,084.0,R,10.4,M,A"), "!checksum mismatch");
    nmea.checksum_required = false;
    EXPECT_EQ(body(nmea, "$WIMWV,084.0,R,10.4,M,A"), "WIMWV,084.0,R,10.4,M,A");
    EXPECT_EQ(body(nmea, "$WIMWV,084.0,R,10.4,M,A*04"), "!checksum mismatch");
    EXPECT_EQ(body(grammar(Checksum::crc16_ascii3), "0+0.04+10+14.8+0.0+0+0.0INy"),
              "0+0.04+10+14.8+0.0+0+0.0");
    EXPECT_EQ(body(grammar(Checksum::crc16), "1234567894b37"), "123456789");
}

TEST(AsciiChecksum, ItMayStandBehindAnEndOfText)
{
    auto gill = grammar(Checksum::xor8, "\x02");
    gill.checked = Pattern("^\\x02([^\\x03]*)\\x03([0-9A-F]{2})");
    EXPECT_EQ(body(gill,
                   "\x02Q,229,002.74,M,00,\x03"
                   "16"),
              "Q,229,002.74,M,00,");
    EXPECT_EQ(body(gill,
                   "\x02Q,228,002.74,M,00,\x03"
                   "16"),
              "!checksum mismatch");
}

TEST(AsciiChecksum, D3_NoisyLinesNeverGiveAWrongValue)
{
    // Noise of up to 16 bits side by side in what is covered: a CRC-16 finds all of it.
    auto by = grammar(Checksum::crc16_ascii3);
    const auto whole = "0r1,Sm=1.0M" + written(Checksum::crc16_ascii3,
                                               checksum_of(Checksum::crc16_ascii3, "0r1,Sm=1.0M"));
    ASSERT_EQ(body(by, whole), "0r1,Sm=1.0M");
    std::minstd_rand random(1);
    for (int i = 0; i < 200'000; ++i) {
        auto line = whole;
        const auto at = random() % std::string_view("0r1,Sm=1.0").size();
        line[at] = static_cast<char>(line[at] ^ static_cast<char>(1 + random() % 255));
        line[at + 1] = static_cast<char>(line[at + 1] ^ static_cast<char>(random() % 256));
        const auto found = body_of(by, line);
        EXPECT_FALSE(found) << line;
    }
}

Source field(std::size_t number, TextType type = TextType::float64)
{
    Source source;
    source.field = number;
    source.type = type;
    return source;
}

Source key(const std::string& name, bool unit = false)
{
    Source source;
    source.form = Source::Form::key;
    source.key = name;
    source.unit = unit;
    source.type = unit ? TextType::text : TextType::float64;
    return source;
}

Source match(const std::string& expression, std::size_t group = 1)
{
    Source source;
    source.form = Source::Form::match;
    source.match.emplace(expression);
    source.group = group;
    return source;
}

/// "12.5", "text", "missing", "bad", "comm_error", or "" when it is not a line of this source.
std::string seen(const Source& source, std::string_view line, const Grammar& by = {})
{
    const auto sample = sample_in(source, by, line);
    if (!sample) {
        return "";
    }
    if (sample->quality != Quality::good) {
        return std::string(to_string(sample->quality));
    }
    const auto decimal = apply(sample->raw, Fraction(1), Fraction(0));
    return decimal ? decimal->text : sample->raw.text();
}

TEST(AsciiFields, AreCountedBetweenSeparators)
{
    const std::string_view line = "WIMWV,084.0,R,+10.4,M,,A";
    EXPECT_EQ(seen(field(0, TextType::text), line), "WIMWV");
    EXPECT_EQ(seen(field(1), line), "84");
    EXPECT_EQ(seen(field(3), line), "10.4");
    EXPECT_EQ(seen(field(5), line), "missing");
    EXPECT_EQ(seen(field(2), line), "bad");
    EXPECT_EQ(seen(field(7), line), "comm_error");
    Grammar wide;
    wide.separator = "; ";
    EXPECT_EQ(seen(field(1), "a; -7.25; b", wide), "-7.25");
}

TEST(AsciiFields, BlanksMaySeparateInAnyNumber)
{
    Grammar young;
    young.separator = " ";
    const std::string_view line = "   2.34   57.2\t-1 ";
    EXPECT_EQ(seen(field(0), line, young), "2.34");
    EXPECT_EQ(seen(field(1), line, young), "57.2");
    EXPECT_EQ(seen(field(2, TextType::int64), line, young), "-1");
    EXPECT_EQ(seen(field(3), line, young), "comm_error");
}

TEST(AsciiFields, FixedColumnsAndDecimalCommas)
{
    Source column;
    column.form = Source::Form::column;
    column.column = 2;
    column.width = 3;
    EXPECT_EQ(seen(column, "A 045332"), "45");
    EXPECT_EQ(seen(column, "A"), "comm_error");
    Grammar german;
    german.separator = ";";
    german.decimal = ',';
    EXPECT_EQ(seen(field(1), "T;-12,5;3.7", german), "-12.5");
    EXPECT_EQ(seen(field(2), "T;-12,5;3.7", german), "bad");
}

TEST(AsciiLists, VaisalaWritesNameValueAndUnitLetter)
{
    Grammar vaisala;
    vaisala.invalid.emplace_back("#");
    const std::string_view line = "0R1,Dn=236D,Dm=283#,Sn=0.0M,Sm=12.0,Vr=3.510V,Id=HEL___";
    EXPECT_EQ(seen(key("Dn"), line, vaisala), "236");
    EXPECT_EQ(seen(key("Dn", true), line, vaisala), "D");
    EXPECT_EQ(seen(key("Dm"), line, vaisala), "missing");
    EXPECT_EQ(seen(key("Dm", true), line, vaisala), "missing");
    EXPECT_EQ(seen(key("Sm", true), line, vaisala), "missing");
    EXPECT_EQ(seen(key("Sm"), line, vaisala), "12");
    EXPECT_EQ(seen(key("Sx"), line, vaisala), "");
    EXPECT_EQ(seen(key("n"), line, vaisala), "");
    auto text = key("Id");
    text.type = TextType::text;
    EXPECT_EQ(seen(text, line, vaisala), "HEL___");
}

TEST(AsciiLists, HydreonSeparatesNameValueAndUnitByBlanks)
{
    const std::string_view line = "Acc  0.25 mm, EventAcc 1.50 mm, TotalAcc 7.00 in, RInt 3.2 mmph";
    EXPECT_EQ(seen(key("Acc"), line), "0.25");
    EXPECT_EQ(seen(key("EventAcc"), line), "1.5");
    EXPECT_EQ(seen(key("TotalAcc", true), line), "in");
    EXPECT_EQ(seen(key("RInt", true), line), "mmph");
}

TEST(AsciiLists, OnlyBlanksBetweenItems)
{
    Grammar blanks;
    blanks.separator = " ";
    const std::string_view line = "P= 1013.2 hPa T=  -3.4 C RH= 45.1 %RH CO2: 450";
    EXPECT_EQ(seen(key("P"), line, blanks), "1013.2");
    EXPECT_EQ(seen(key("P", true), line, blanks), "hPa");
    EXPECT_EQ(seen(key("T"), line, blanks), "-3.4");
    EXPECT_EQ(seen(key("RH", true), line, blanks), "%RH");
    EXPECT_EQ(seen(key("CO2"), line, blanks), "450");
}

TEST(AsciiMatch, TheFirstGroupOrTheOneNamedIsTheValue)
{
    EXPECT_EQ(seen(match("C,([-0-9.]+),C,1"), "WIXDR,C,23.3,C,0,C,24.5,C,1"), "24.5");
    EXPECT_EQ(seen(match("C,([-0-9.]+),C,9"), "WIXDR,C,23.3,C,0"), "");
    auto unit = match("(?P<value>[0-9.]+) *(?P<unit>[a-z]+)");
    unit.unit_group = 2;
    unit.unit = true;
    unit.type = TextType::text;
    EXPECT_EQ(seen(unit, "RInt 3.2 mmph"), "mmph");
}

TEST(AsciiMatch, WhatStandsBehindANumberMustBeAllowed)
{
    EXPECT_EQ(seen(field(0), "12.5q"), "bad");
    auto degrees = field(0);
    degrees.suffix.emplace("C|degC");
    EXPECT_EQ(seen(degrees, "12.5 degC"), "12.5");
    EXPECT_EQ(seen(degrees, "12.5 degF"), "bad");
    EXPECT_EQ(seen(field(0), "1.2e-3"), "0.0012");
    EXPECT_EQ(seen(field(0), "1.2e"), "bad");
    EXPECT_EQ(seen(field(0), "+-3"), "bad");
    EXPECT_EQ(seen(field(0), "nan"), "bad");
    EXPECT_EQ(seen(field(0), "1e999"), "bad");
}

TEST(AsciiMatch, InvalidMarkersAreMissing)
{
    Grammar by;
    for (const auto* marker : {"/+", "NaN", "-999\\.?0*"}) {
        by.invalid.emplace_back(marker);
    }
    for (const auto* line : {"//////", "NaN", "-999", "-999.00", "", "  "}) {
        EXPECT_EQ(seen(field(0), line, by), "missing") << line;
    }
    EXPECT_EQ(seen(field(0), "-99.9", by), "-99.9");
}

TEST(AsciiMatch, StatusWordsAreHexadecimalAndHaveBits)
{
    auto status = field(1, TextType::hex);
    EXPECT_EQ(seen(status, "Q,0A"), "10");
    EXPECT_EQ(seen(status, "Q,0x1f"), "31");
    EXPECT_EQ(seen(status, "Q,G1"), "bad");
    status.bits = std::pair(1U, 3U);
    EXPECT_EQ(seen(status, "Q,0A"), "5");
}

TEST(AsciiMatch, ALineOfAnotherKindIsNotTheirs)
{
    auto wind = field(1);
    wind.line.emplace("^..MWV,");
    EXPECT_EQ(seen(wind, "WIMWV,214.8,R"), "214.8");
    EXPECT_EQ(seen(wind, "WIMDA,29.7,I"), "");
    EXPECT_EQ(seen(wind, "WIMWV"), "");
    wind.field = 9;
    EXPECT_EQ(seen(wind, "WIMWV,214.8,R"), "comm_error");
}

TEST(AsciiRequest, HasTheUnitsAddressAndItsChecksum)
{
    EXPECT_EQ(request_bytes(grammar(Checksum::crc16_ascii3), "{address}r2{checksum}\r\n", "0"),
              "0r2Gje\r\n");
    EXPECT_EQ(request_bytes(grammar(Checksum::nmea, "$"), "$WIP{address}Q,*{checksum}\r\n", "A"),
              "$WIPAQ,*72\r\n");
    EXPECT_EQ(request_bytes(grammar(Checksum::none), "& {address} M 00100\r", "28673"),
              "& 28673 M 00100\r");
}

std::int64_t time_of(std::string_view text, std::string_view format, Duration zone = 0s)
{
    const auto time = parse_time(text, format, zone);
    return time ? time->time_since_epoch().count() : -1;
}

TEST(AsciiTime, S17_TheDevicesOwnTimeIsReadAndNeverGuessed)
{
    EXPECT_EQ(time_of("2026-11-28 02:33:42", "%Y-%m-%d %H:%M:%S"), 1'795'833'222'000);
    EXPECT_EQ(time_of("2026-11-28 03:33:42", "%Y-%m-%d %H:%M:%S", 1h), 1'795'833'222'000);
    EXPECT_EQ(time_of("023342.50,28,11,2026", "%H%M%S,%d,%m,%Y"), 1'795'833'222'500);
    EXPECT_EQ(time_of("28.11.26 02:33", "%d.%m.%y %H:%M"), 1'795'833'180'000);
    EXPECT_EQ(time_of("26332023342", "%y%j%H%M%S"), 1'795'833'222'000);
    EXPECT_EQ(time_of("1795833222", "%s"), 1'795'833'222'000);
    EXPECT_EQ(time_of("2026-02-29 00:00:00", "%Y-%m-%d %H:%M:%S"), -1);
    EXPECT_EQ(time_of("2026-11-28 24:00:00", "%Y-%m-%d %H:%M:%S"), -1);
    EXPECT_EQ(time_of("2026-11-28 02:33:42x", "%Y-%m-%d %H:%M:%S"), -1);
    EXPECT_EQ(time_of("2026-11-28", "%Y-%m-%d %H:%M:%S"), -1);
    EXPECT_TRUE(is_time_format("%Y-%m-%d"));
    EXPECT_FALSE(is_time_format("%H:%M:%S"));
    EXPECT_FALSE(is_time_format("%Y-%m-%d %Q"));
    EXPECT_EQ(parse_zone("-06:30"), -(6h + 30min));
    EXPECT_FALSE(parse_zone("06:30"));
}

}  // namespace
}  // namespace gateway::ascii
