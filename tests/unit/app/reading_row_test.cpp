#include "gateway/app/reading_row.hpp"

#include <gtest/gtest.h>

namespace gateway::reading_row_test {

using namespace std::chrono_literals;

namespace {

// A device of two points: a scaled number and an enumeration.
DeviceConfig meter()
{
    auto profile = std::make_shared<Profile>();
    Point voltage;
    voltage.id = "voltage";
    voltage.unit = "V";
    Point status;
    status.id = "status";
    status.names = {{1, "dry"}, {2, "wet"}};
    profile->points = {voltage, status};
    profile->alarms.resize(1);
    profile->alarms.front().id = "too-high";
    DeviceConfig device;
    device.site.id = "meter";
    device.profile = profile;
    device.factors = std::make_shared<const Factors>(
        Factors{.scale = {*Fraction::parse("0.1"), Fraction(1)}, .offset = {{}, {}}});
    return device;
}

Reading reading(std::uint16_t row, Value value)
{
    return {.alias = {1, row}, .time = BootTime(5000ms), .value = std::move(value)};
}

constexpr ClockReading synced{WallTime(1'000'000'000'000ms), ClockState::synced, 10};

TEST(ReadingRow, ScalesWithoutBinaryNoise)
{
    const auto row = describe(meter(), reading(0, Value::integer(2303)), Instant(6s), synced);
    EXPECT_EQ(row.json_line(),
              R"({"device":"meter","point":"voltage","value":230.3,"unit":"V","quality":"good",)"
              R"("cause":null,"raw":"2303","time":"2001-09-09T01:46:39.000Z"})");
}

TEST(ReadingRow, AnEnumerationIsItsName)
{
    const auto row = describe(meter(), reading(1, Value::integer(2)), Instant(6s), synced);
    EXPECT_EQ(row.value, "wet");
    EXPECT_FALSE(row.number);
    EXPECT_EQ(describe(meter(), reading(1, Value::integer(7)), Instant(6s), synced).value, "7")
        << "a number that the profile does not name is shown as it came";
}

TEST(ReadingRow, AFailureHasNoValueAndSaysWhy)
{
    auto failed = reading(0, Value());
    failed.quality = Quality::comm_error;
    failed.cause = exception_cause(2);
    const auto row = describe(meter(), failed, Instant(6s), ClockReading{});
    EXPECT_EQ(
        row.json_line(),
        R"({"device":"meter","point":"voltage","value":null,"unit":"V","quality":"comm_error",)"
        R"("cause":"exception_2","raw":null,"time":null})");
}

TEST(ReadingRow, AnAlarmIsRaisedOrCleared)
{
    const auto row =
        describe(meter(), reading(Alias::first_alarm, Value::integer(1)), Instant(6s), synced);
    EXPECT_EQ(row.point, "too-high");
    EXPECT_EQ(row.value, "raised");
}

TEST(ReadingRow, SurvivesTheControlSocket)
{
    const auto row = describe(meter(), reading(0, Value::integer(2304)), Instant(6s), synced);
    EXPECT_EQ(ReadingRow::from(row.object()).json_line(), row.json_line());
}

TEST(ReadingRow, TheTableLinesUp)
{
    const auto row = describe(meter(), reading(0, Value::integer(2304)), Instant(6s), synced);
    EXPECT_EQ(table({row}),
              "DEVICE  POINT    VALUE  UNIT  QUALITY  CAUSE\n"
              "meter   voltage  230.4  V     good\n");
}

}  // namespace

}  // namespace gateway::reading_row_test
