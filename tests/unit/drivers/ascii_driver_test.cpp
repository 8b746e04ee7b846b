#include "drivers/ascii/driver.hpp"
#include "drivers/ascii/example.hpp"
#include "drivers/registry.hpp"
#include "drivers/transport/buses.hpp"
#include "gateway/config/toml.hpp"
#include "gateway/runtime/deadline.hpp"
#include "tests/simulator/line_town.hpp"
#include "tests/support/loop.hpp"
#include "tests/unit/config/folder.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace gateway::ascii {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using simulator::LineDevice;
using simulator::LineFault;

const std::string head = R"(schema = "smartstate.profile/1"
[profile]
id = "test.ascii"
version = "1.0.0"
title = "Test"
category = "weather"
status = "draft"
[device]
vendor = "any"
models = ["any"]
[security]
zone = "field-bus"
cleartext = true
[transport]
driver = "ascii"
)";

/// A profile of points that read so, each from `read = { … }`.
Profile profile_of(const std::string& transport, const std::vector<std::string>& reads,
                   const std::string& poll = "poll = \"1s\"\n")
{
    auto text = head + transport;
    for (std::size_t i = 0; i < reads.size(); ++i) {
        text += "[[point]]\nid = \"p" + std::to_string(i) +
                "\"\ntitle = \"P\"\nquantity = \"device.text\"\nread = { " + reads[i] + " }\n" +
                poll;
    }
    Mistakes mistakes;
    auto profile = parse_profile(text, "test.profile.toml", mistakes);
    EXPECT_EQ(mistakes.text(), "");
    return profile;
}

const std::string polled = "mode = \"polled\"\ntimeout = \"100ms\"\nlate = \"50ms\"\n";

/// The driver over loopback against a simulated device on the same loop.
struct AsciiLine : testing::Test {
    asio::io_context io{1};
    Resolver resolver{io.get_executor()};
    Buses buses{io.get_executor(), resolver};
    LineDevice device{.id = "a"};
    std::unique_ptr<simulator::LineTown> town;
    std::unique_ptr<AsciiDriver> driver;

    void start(const Profile& profile, const std::string& address = "0")
    {
        if (!town) {
            std::vector<LineDevice> devices{device};
            town = std::make_unique<simulator::LineTown>(io, std::move(devices));
        }
        Mistakes mistakes;
        auto map = read_map(profile, address, mistakes);
        EXPECT_EQ(mistakes.text(), "");
        driver =
            std::make_unique<AsciiDriver>(buses.tcp("127.0.0.1", town->port("a")), std::move(map));
    }

    /// "12.5|missing", or what went wrong as a whole.
    std::string read(std::size_t points)
    {
        std::vector<std::uint16_t> rows(points);
        std::iota(rows.begin(), rows.end(), std::uint16_t{0});
        Result<Samples> samples = Fault::closed;
        auto body = [&]() -> asio::awaitable<void> {
            const auto silence = driver->may_be_silent().value_or(1min);
            samples = co_await with_deadline(driver->read(rows), silence);
        };
        test::run_test(io, body());
        if (!samples) {
            return samples.error().message();
        }
        last = *samples;
        std::string all;
        for (const auto& sample : *samples) {
            const auto decimal = apply(sample.raw, Fraction(1), Fraction(0));
            all += (all.empty() ? "" : "|") +
                   (sample.quality != Quality::good
                        ? std::string(to_string(sample.quality)) + ":" + to_string(sample.cause)
                    : decimal ? decimal->text
                              : sample.raw.text());
        }
        return all;
    }

    void end_device()
    {
        driver.reset();
        if (town) {
            test::run_test(io, town->stop());
            town.reset();
        }
    }

    void TearDown() override { end_device(); }

    Samples last;
};

TEST_F(AsciiLine, OneRequestBringsAllItsPoints)
{
    device.answers = {{"R\n", {"Acc 0.25 mm, RInt 3.2 mmph\r\n"}}};
    start(profile_of(
        polled + "request = \"R\\n\"\n",
        {R"(key = "RInt")", R"(key = "Acc")", R"(key = "Acc", part = "unit", type = "text")"}));
    EXPECT_EQ(read(3), "3.2|0.25|mm");
    EXPECT_EQ(town->requests("a"), 1U);
    EXPECT_EQ(read(1), "3.2");
}

TEST_F(AsciiLine, SeveralRequestsWithTheUnitsAddress)
{
    device.answers = {{"3R1\r\n", {"3R1,Sm=1.5M\r\n"}}, {"3R2\r\n", {"3R2,Ta=23.5C\r\n"}}};
    const std::vector<std::string> reads{
        R"(key = "Sm", line = "^{address}R1,", request = "{address}R1\r\n")",
        R"(key = "Ta", line = "^{address}R2,", request = "{address}R2\r\n")"};
    start(profile_of(polled, reads), "3");
    EXPECT_EQ(read(2), "1.5|23.5");
}

TEST_F(AsciiLine, BannersEchoesAndOtherUnitsAreNotTheAnswer)
{
    device.answers = {{"R1\r", {"R1\r", "; started\r\n", "0R1,1\r\n", "7R1,2\r\n"}}};
    start(profile_of(polled + "request = \"R1\\r\"\necho = true\nframe = { skip = [\"^;\"] }\n",
                     {R"(field = 1, line = "^{address}R1")"}),
          "7");
    EXPECT_EQ(read(1), "2");
}

TEST_F(AsciiLine, AnAnswerMayHaveSeveralLines)
{
    device.answers = {{"?\r", {"wind 2.5\r\n", "rain 7\r\n", "gone 1\r\n"}}};
    const std::vector<std::string> reads{R"(key = "rain")", R"(key = "wind")", R"(key = "snow")"};
    start(profile_of(polled + "request = \"?\\r\"\nlines = 2\nframe = { separator = \" \" }\n",
                     reads));
    EXPECT_EQ(read(3), "7|2.5|comm_error:unexpected_reply");
}

TEST_F(AsciiLine, SilenceMayEndAnAnswer)
{
    device.answers = {{"Q", {"229,2.74"}}};
    start(profile_of(polled + "request = \"Q\"\nsilence = \"10ms\"\n", {"field = 1"}));
    EXPECT_EQ(read(1), "2.74");
}

TEST_F(AsciiLine, D1_ASilentDeviceFailsAsAWholeInItsTime)
{
    device.answers = {{"R\n", {"1\r\n"}}};
    device.faults = {{.kind = LineFault::Kind::silent}};
    start(profile_of(polled + "request = \"R\\n\"\n", {"field = 0"}));
    const auto started = std::chrono::steady_clock::now();
    EXPECT_EQ(read(1), "no answer before the deadline");
    EXPECT_GE(std::chrono::steady_clock::now() - started, 150ms);
}

TEST_F(AsciiLine, S44_ALateAnswerIsNeverTakenForTheNextQuestion)
{
    // Both answers look the same; the first comes after its limit, 1.5 times as late.
    device.answers = {{"A\n", {"{n}\r\n"}}};
    simulator::Model reads = simulator::Model::of(Fraction(1));
    device.values["n"] = reads;
    device.faults = {{.kind = LineFault::Kind::delay, .delay = 150ms, .last_request = 1}};
    device.answers.emplace_back("B\n", std::vector<std::string>{"2\r\n"});
    start(profile_of("mode = \"polled\"\ntimeout = \"100ms\"\n",
                     {R"(field = 0, request = "A\n")", R"(field = 0, request = "B\n")"}));
    EXPECT_EQ(read(2), "comm_error:timeout|2");
    EXPECT_EQ(read(2), "1|2");
}

TEST_F(AsciiLine, D2_ADamagedAnswerIsAskedForAgain)
{
    device.start = "$";
    device.checksum = Checksum::nmea;
    device.answers = {{"?\n", {"$WIMWV,84,R*{checksum}\r\n"}}, {"!\n", {"$WIMWV,85*00\r\n"}}};
    device.faults = {{.kind = LineFault::Kind::cut, .last_request = 1},
                     {.kind = LineFault::Kind::noise, .first_request = 2, .last_request = 2}};
    const std::string frame = "frame = { start = \"$\", checksum = \"nmea\" }\n";
    start(profile_of(polled + frame + "request = \"?\\n\"\nretries = 1\n", {"field = 1"}));
    EXPECT_EQ(read(1), "84");
    EXPECT_EQ(town->requests("a"), 2U);
    start(profile_of(polled + frame + "request = \"!\\n\"\n", {"field = 1"}));
    EXPECT_EQ(read(1), "checksum mismatch");
}

TEST_F(AsciiLine, D2_AnEndlessAnswerIsBounded)
{
    device.answers = {{"R\n", {std::string(12'000, 'x')}}, {"S\n", {"5\r\n"}}};
    start(profile_of(polled + "max_line = 100\n",
                     {R"(field = 0, request = "R\n")", R"(field = 0, request = "S\n")"}));
    EXPECT_EQ(read(2), "comm_error:timeout|5");
}

TEST_F(AsciiLine, AClosedConnectionIsOpenedAgain)
{
    device.answers = {{"R\n", {"1\r\n"}}};
    device.faults = {{.kind = LineFault::Kind::close, .last_request = 1}};
    start(profile_of(polled + "request = \"R\\n\"\nretries = 1\n", {"field = 0"}));
    EXPECT_EQ(read(1), "1");
}

const std::string talking = "mode = \"talking\"\nstale = \"200ms\"\n";

/// A value that a scene's TOML describes.
simulator::Model model_of(const std::string& text)
{
    Mistakes mistakes;
    const auto document = parse_toml("n = " + text, "scene.toml", mistakes);
    Table table(*document, {"scene.toml", 0, 0}, "", mistakes);
    return simulator::Model::parse(table["n"]);
}

TEST_F(AsciiLine, EveryLineOfATalkingDeviceIsAReadingOfWhatItSpeaksOf)
{
    device.every = 10ms;
    device.speaks = {"$A,1.5\r\n", "$C,9\r\n", "$B,7\r\n"};
    start(profile_of(talking + "frame = { start = \"$\" }\n",
                     {R"(field = 1, line = "^B")", R"(field = 1, line = "^A")"}));
    EXPECT_EQ(read(2), "1.5");
    EXPECT_EQ(last.front().row, 1);
    EXPECT_EQ(read(2), "7");
    EXPECT_EQ(last.front().row, 0);
}

TEST_F(AsciiLine, S17_WhatATalkingDeviceSaysBetweenTwoReadsIsKept)
{
    device.every = 5ms;
    device.speaks = {"{n}\r\n"};
    device.values["n"] = model_of(R"({ model = "reads" })");
    start(profile_of(talking, {"field = 0"}));
    const auto first = std::stoi(read(1));
    io.restart();
    io.run_for(50ms);
    for (int i = 1; i <= 20; ++i) {
        ASSERT_EQ(read(1), std::to_string(first + i));
    }
}

TEST_F(AsciiLine, ATalkingDeviceThatIsSilentIsHeardAgainOnAnotherConnection)
{
    start(profile_of(talking, {"field = 0"}));
    EXPECT_EQ(driver->may_be_silent(), 200ms);
    EXPECT_EQ(read(1), "no answer before the deadline");
    EXPECT_EQ(town->connections("a"), 1U);
    EXPECT_EQ(read(1), "no answer before the deadline");
    EXPECT_EQ(town->connections("a"), 2U);
}

TEST_F(AsciiLine, D2_ATalkingDeviceWhoseLinesAreDamagedSaysSo)
{
    device.every = 10ms;
    device.start = "$";
    device.speaks = {"$WIMWV,84*00\r\n"};
    start(profile_of(talking + "frame = { start = \"$\", checksum = \"nmea\" }\n", {"field = 1"}));
    EXPECT_EQ(read(1), "checksum mismatch");
}

TEST_F(AsciiLine, WhoATalkingDeviceIsItSaysAtSomeTime)
{
    device.every = 10ms;
    device.speaks = {"A,1\r\n", "ID 4711\r\n"};
    auto profile = profile_of(talking, {R"(field = 1, line = "^A")"});
    Identify identify{.read = {}, .matches = "4711", .required = true};
    identify.read["match"] = {.value = std::string("^ID (.*)$"), .place = {}};
    identify.read["type"] = {.value = std::string("text"), .place = {}};
    profile.identify.push_back(identify);
    start(profile);
    const auto who = [this] {
        Result<Identity> identity = Fault::closed;
        auto body = [&]() -> asio::awaitable<void> { identity = co_await driver->identify(); };
        test::run_test(io, body());
        return identity ? identity->front()->text() : identity.error().message();
    };
    EXPECT_EQ(who(), make_error_code(Fault::not_found).message());
    while (who() != "4711") {
        ASSERT_EQ(read(1), "1");
    }
}

TEST_F(AsciiLine, S17_ALineBringsTheTimeOfTheDevice)
{
    device.answers = {{"R\n", {"2026-11-28 02:33:42,5\r\n"}}};
    const std::string time =
        "time = { match = \"^([^,]*),\", format = \"%Y-%m-%d %H:%M:%S\", zone = \"+00:00\" }\n";
    start(profile_of(polled + time + "request = \"R\\n\"\n", {"field = 1"}));
    EXPECT_EQ(read(1), "5");
    ASSERT_TRUE(last.front().device_time);
    EXPECT_EQ(last.front().device_time->time_since_epoch().count(), 1'795'833'222'000);
}

std::string mistakes_of(const std::string& transport, const std::string& read,
                        const std::string& poll = "poll = \"1s\"\n")
{
    Mistakes mistakes;
    check_driver_part(profile_of(transport, {read}, poll), mistakes);
    return mistakes.text();
}

TEST(AsciiProfile, WhatASingleKeyCannotSayIsFound)
{
    EXPECT_EQ(mistakes_of(polled + "request = \"R\"\n", "field = 0"), "");
    EXPECT_NE(mistakes_of(polled, "field = 0").find("asks nothing"), std::string::npos);
    EXPECT_NE(mistakes_of(talking, R"(field = 0, request = "R")").find("is asked nothing"),
              std::string::npos);
    EXPECT_NE(mistakes_of(polled + "request = \"R\"\n", "field = 0", "").find("poll"),
              std::string::npos);
    EXPECT_EQ(mistakes_of(talking, "field = 0", ""), "");
    EXPECT_NE(mistakes_of(talking + "time = { match = \".*\", format = \"%H:%M\" }\n", "field = 0")
                  .find("%Y-%m-%d"),
              std::string::npos);
}

TEST(AsciiProfile, TheShippedAndTheTestedOnesReadTheirExamples)
{
    for (const auto* path :
         {"schemas/profiles/il.rain-gauge.hydreon-rg15.profile.toml",
          "schemas/profiles/il.rain-gauge.hydreon-rg15-talking.profile.toml",
          "tests/data/ascii/vaisala-wxt530.profile.toml",
          "tests/data/ascii/vaisala-wxt530-crc.profile.toml",
          "tests/data/ascii/nmea-weather.profile.toml",
          "tests/data/ascii/gill-windsonic.profile.toml", "tests/data/ascii/lufft-umb.profile.toml",
          "tests/data/ascii/young-columns.profile.toml"}) {
        const auto file = std::string(SOURCE_DIR "/") + path;
        Mistakes mistakes;
        const auto profile = parse_profile(slurp(file), file, mistakes);
        check_driver_part(profile, mistakes);
        EXPECT_EQ(mistakes.text(), "");
        EXPECT_FALSE(profile.examples.empty());
        EXPECT_EQ(gateway::run_examples(profile), std::vector<std::string>{}) << path;
        EXPECT_FALSE(describe_plan(profile).empty());
    }
}

}  // namespace
}  // namespace gateway::ascii
