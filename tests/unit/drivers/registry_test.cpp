#include "drivers/registry.hpp"
#include "gateway/runtime/system_clock.hpp"
#include "tests/unit/config/folder.hpp"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include <string>

namespace gateway {
namespace {

const std::string head = R"(schema = "smartstate.profile/1"
[profile]
id       = "test.meter"
version  = "1.0.0"
title    = "Meter"
category = "energy-meter"
status   = "draft"
sources  = ["made for tests"]
[device]
vendor = "Test"
models = ["meter"]
[security]
zone      = "field-bus"
cleartext = true
[transport]
driver    = "modbus"
modes     = ["tcp", "rtu"]
rtu       = { baud = [9600], parity = ["even"], unit = [1, 247] }
max_words = 60
function  = [3]
)";

const std::string voltage = R"(
[[point]]
id       = "voltage"
title    = "Voltage"
quantity = "electrical.voltage"
unit     = "V"
read     = { table = "holding", address = 3028, base = 1, type = "float32", words = "big" }
poll     = "10s"
class    = "telemetry"
[[point]]
id       = "power"
title    = "Power"
quantity = "electrical.power.active"
unit     = "W"
read     = { table = "holding", address = 3030, base = 1, type = "float32", words = "big" }
scale    = 1000
poll     = "10s"
class    = "telemetry"
)";

Profile parsed(const std::string& text)
{
    Mistakes mistakes;
    auto profile = parse_profile(text, "test.profile.toml", mistakes);
    EXPECT_TRUE(mistakes.empty()) << mistakes.text();
    return profile;
}

std::string example(const std::string& expect)
{
    return R"([[example]]
registers = { holding = { 3027 = [17254, 26214, 16520, 0] } }
expect    = { )" +
           expect + " }\n";
}

TEST(Registry, AnExampleThatComesOutAsExpectedHasNoDifference)
{
    const auto profile = parsed(head + voltage + example("voltage = 230.4, power = 4250"));
    EXPECT_EQ(run_examples(profile), std::vector<std::string>{});
}

TEST(Registry, AnExampleThatComesOutOtherwiseSaysHow)
{
    const auto profile = parsed(head + voltage + example("voltage = 230.5, power = 4250"));
    const auto differences = run_examples(profile);
    ASSERT_EQ(differences.size(), 1U);
    EXPECT_NE(differences[0].find("voltage: expected 230.5, got 230.4"), std::string::npos)
        << differences[0];
}

TEST(Registry, APlanSaysWhatAPollCosts)
{
    const auto plan = describe_plan(parsed(head + voltage));
    ASSERT_EQ(plan.size(), 1U);
    EXPECT_EQ(plan[0].text, "holding 3027 to 3030: voltage, power");
    EXPECT_EQ(plan[0].poll, std::chrono::seconds(10));
    EXPECT_EQ(plan[0].bytes, 12U + 9U + 8U);
    // 8 and 13 bytes as RTU, 2 x 3.5 characters of silence, 11 bits each.
    EXPECT_NEAR(std::chrono::duration<double>(plan[0].on_serial_line).count(), 28 * 11 / 9600.0,
                1e-6);
}

TEST(Registry, WhatDoesNotFitIntoARequestIsAMistake)
{
    auto text = voltage;
    text.replace(text.find("type = \"float32\""), 16, "type = \"text\", count = 61");
    Mistakes mistakes;
    check_driver_part(parsed(head + text), mistakes);
    ASSERT_EQ(mistakes.lines().size(), 1U) << mistakes.text();
    EXPECT_NE(mistakes.text().find("61 registers"), std::string::npos);
}

TEST(Registry, AFunctionThatTheModelLacksIsAMistake)
{
    auto text = voltage;
    text.replace(text.find("holding"), 7, "input");
    Mistakes mistakes;
    check_driver_part(parsed(head + text), mistakes);
    ASSERT_EQ(mistakes.lines().size(), 1U) << mistakes.text();
    EXPECT_NE(mistakes.text().find("function 4"), std::string::npos);
}

struct Making : testing::Test {
    boost::asio::io_context io{1};
    Resolver resolver{io.get_executor()};
    SystemClock clock{io.get_executor()};
    FileWorker files{io.get_executor()};
    Buses buses{io.get_executor(), resolver};
    DriverContext context{io.get_executor(), buses, resolver, clock, files};
    DeviceConfig device;

    Making()
    {
        device.profile = std::make_shared<const Profile>(parsed(head + voltage));
        device.site.id = "meter";
    }
    void connect(const std::string& key, const std::string& target)
    {
        device.site.connect[key] = Setting{target, {}};
    }
};

TEST_F(Making, AProfileAndAConnectionMakeADriver)
{
    connect("tcp", "10.0.0.5:502");
    Mistakes mistakes;
    EXPECT_NE(make_driver(device, context, mistakes), nullptr);
    EXPECT_TRUE(mistakes.empty()) << mistakes.text();
}

TEST_F(Making, TwoSettingsForOneLineAreRefusedInPlainWords)
{
    connect("serial", "/dev/ttyS0");
    Mistakes mistakes;
    const auto first = make_driver(device, context, mistakes);
    EXPECT_NE(first, nullptr);
    EXPECT_TRUE(mistakes.empty()) << mistakes.text();
    device.site.connect["baud"] = Setting{std::int64_t{19'200}, {}};
    EXPECT_EQ(make_driver(device, context, mistakes), nullptr);
    EXPECT_NE(mistakes.text().find("another device uses /dev/ttyS0 with 9600 8N1"),
              std::string::npos);
}

TEST_F(Making, ADriverThatIsNotInThisReleaseIsAMistake)
{
    auto other = *device.profile;
    other.driver = "sdi12";
    device.profile = std::make_shared<const Profile>(other);
    Mistakes mistakes;
    EXPECT_EQ(make_driver(device, context, mistakes), nullptr);
    EXPECT_NE(mistakes.text().find("no driver \"sdi12\""), std::string::npos);
}

TEST(Registry, RowsOfAJsonDocumentAreReadByTheirNumber)
{
    const auto profile = parsed(slurp(SOURCE_DIR "/tests/data/json/rows.profile.toml"));
    EXPECT_EQ(run_examples(profile), std::vector<std::string>{});
    const auto plan = describe_plan(profile);
    ASSERT_EQ(plan.size(), 1U);
    EXPECT_EQ(plan[0].text,
              "GET /sensors: temperature[1], temperature[2], temperature[3], temperature[4], "
              "door[1], door[2], temperature.count");
}

TEST(Registry, WhatIsReadForOthersCostsNoPollOfItsOwn)
{
    const auto profile =
        parsed(slurp(SOURCE_DIR "/schemas/profiles/il.rain-gauge.hydreon-rg15.profile.toml"));
    const auto plan = describe_plan(profile);
    ASSERT_EQ(plan.size(), 1U);
    EXPECT_EQ(plan[0].poll, std::chrono::seconds(10));
    EXPECT_TRUE(plan[0].text.starts_with("\"R\\n\": rain_total, rain_event, rain_intensity"))
        << plan[0].text;
}

}  // namespace
}  // namespace gateway
