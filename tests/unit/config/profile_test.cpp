#include "gateway/config/profile.hpp"

#include "gateway/config/literal.hpp"
#include "gateway/core/ids.hpp"

#include "folder.hpp"

namespace gateway::profile_test {

namespace {

using namespace std::chrono_literals;

Profile good(const std::string& name)
{
    const auto file = data_folder + "/good/" + name + ".profile.toml";
    Mistakes mistakes;
    auto profile = parse_profile(slurp(file), file, mistakes);
    EXPECT_EQ(mistakes.text(), "");
    return profile;
}

Point point(const Profile& profile, const std::string& id)
{
    for (const auto& each : profile.points) {
        if (each.id == id) {
            return each;
        }
    }
    throw std::out_of_range(id);
}

TEST(Profile, HeaderAndTransportOfARealMeter)
{
    const auto profile = good("energy-meter.schneider-iem3155");
    EXPECT_EQ(profile.id, "il.energy-meter.schneider-iem3155");
    EXPECT_EQ(profile.version, "1.0.0");
    EXPECT_TRUE(profile.final);
    EXPECT_EQ(profile.sources.size(), 2U);
    EXPECT_EQ(profile.models, (std::vector<std::string>{"iEM3155", "A9MEM3155"}));
    EXPECT_EQ(profile.firmware, ">=1.3");
    EXPECT_TRUE(profile.cleartext);
    EXPECT_EQ(profile.driver, "modbus");
    EXPECT_EQ(duration_of(profile.transport, "timeout", 1s), Duration(300ms));
    EXPECT_EQ(duration_of(profile.transport, "absent", 1s), Duration(1s));
    EXPECT_EQ(get<std::int64_t>(profile.transport, "max_words", 0), 60);
    EXPECT_EQ(profile.sha256, to_hex(sha256(slurp(profile.file))));
}

TEST(Profile, PointsOfARealMeter)
{
    const auto profile = good("energy-meter.schneider-iem3155");
    ASSERT_EQ(profile.points.size(), 4U);
    const auto& power = profile.points[1];
    EXPECT_EQ(power.id, "active_power_total");
    EXPECT_EQ(power.kind, "float32");
    EXPECT_EQ(get<std::int64_t>(power.read, "address", 0), 3060);
    EXPECT_EQ(get<std::string>(power.read, "words", {}), "big");
    EXPECT_EQ(power.scale.times, Fraction(1000));
    EXPECT_EQ(power.offset.times, Fraction(0));
    EXPECT_TRUE(power.missing_nan);
    EXPECT_TRUE(power.missing.empty());
    EXPECT_EQ(power.valid_low, Fraction(-60'000));
    EXPECT_EQ(power.report.deadband, Fraction(50));
    EXPECT_EQ(power.report.max, Duration(5min));
    EXPECT_EQ(power.poll, Duration(10s));
    EXPECT_EQ(power.publish, Publish::agency);
    EXPECT_EQ(power.place.line, 63U);
    const auto& energy = profile.points[3];
    EXPECT_EQ(energy.lane, Lane::billing);
    EXPECT_EQ(energy.publish, Publish::open);
    EXPECT_EQ(energy.valid_high, Fraction(9'000'000'000'000'000));
    ASSERT_TRUE(energy.counter);
    EXPECT_FALSE(energy.counter->wrap);
    EXPECT_TRUE(energy.counter->report_reset);
    EXPECT_TRUE(energy.report.align);
    EXPECT_EQ(energy.report.every, Duration(15min));
}

TEST(Profile, IdentityAlarmsAcceptanceAndExamplesOfARealMeter)
{
    const auto profile = good("energy-meter.schneider-iem3155");
    ASSERT_EQ(profile.identify.size(), 4U);
    EXPECT_EQ(get<std::int64_t>(profile.identify[0].read, "mei", -1), 0);
    EXPECT_EQ(profile.identify[0].matches, "^Schneider Electric$");
    EXPECT_TRUE(profile.identify[0].required);
    EXPECT_EQ(profile.identify[2].captures, "serial");
    ASSERT_EQ(profile.alarms.size(), 1U);
    EXPECT_EQ(profile.alarms[0].when.below, Fraction(105));
    EXPECT_EQ(profile.alarms[0].clear.hold, Duration(60s));
    ASSERT_EQ(profile.acceptance.size(), 4U);
    EXPECT_EQ(get<Fraction>(profile.acceptance[2].settings, "tolerance", Fraction(0)),
              *Fraction::of(1, 50));
    ASSERT_EQ(profile.examples.size(), 1U);
    const auto& expect = profile.examples[0].expect;
    EXPECT_EQ(expect.at("voltage_l1_n"), "230.4");
    EXPECT_EQ(expect.at("active_power_total"), "4250");
    const auto registers = get<SettingTable>(profile.examples[0].raw, "registers", {});
    const auto holding = get<SettingTable>(registers, "holding", {});
    EXPECT_EQ(std::get<std::int64_t>(get<SettingList>(holding, "3027", {}).at(1).value), 26'214);
}

TEST(Profile, FractionsAreExact)
{
    const auto air = good("air-quality.purpleair-pa-ii");
    const auto temperature = point(air, "enclosure_temperature");
    EXPECT_EQ(temperature.scale.times, *Fraction::of(5, 9));
    EXPECT_EQ(temperature.offset.times, *Fraction::of(-160, 9));
    ASSERT_EQ(air.checks.size(), 1U);
    EXPECT_EQ(air.checks[0].relative, *Fraction::of(7, 10));
    EXPECT_EQ(air.checks[0].absolute, Fraction(5));
    const auto road = good("road-weather.ntcip1204-ess");
    EXPECT_EQ(point(road, "precipitation_rate").scale.times, *Fraction::of(9, 25));
}

TEST(Profile, RowsNamesAndDependencies)
{
    const auto road = good("road-weather.ntcip1204-ess");
    const auto status = point(road, "surface_status[1]");
    ASSERT_TRUE(status.row);
    EXPECT_EQ(get<std::string>(point(road, status.row->count).read, "oid", {}), ".2.9.1.0");
    EXPECT_EQ(status.names.at(7), "ice-warning");
    EXPECT_EQ(status.bad_names, std::vector<std::string>{"error"});
    EXPECT_EQ(status.good_if->point, "pavement_sensor_error[1]");
    EXPECT_EQ(road.quirks[0].missing,
              (std::vector<Value>{Value::integer(255), Value::integer(65'535)}));
    EXPECT_EQ(road.alarms[0].clear.not_in.size(), 2U);
}

TEST(Profile, SentinelsHaveTheKindOfThePoint)
{
    const auto profile = good("modbus");
    EXPECT_EQ(point(profile, "temperature").missing[0], Value::integer(-32'768));
    EXPECT_EQ(point(profile, "energy").missing[0], Value::unsigned_integer(~0ULL));
    EXPECT_EQ(point(profile, "energy").missing[1], Value::unsigned_integer(1ULL << 63));
    EXPECT_EQ(point(profile, "power_factor").missing[0], Value::float32(3.4028235e38F));
    EXPECT_TRUE(point(profile, "power_factor").missing_nan);
    EXPECT_EQ(point(good("sysfs"), "temperature").missing[1], Value::integer(127'937));
    EXPECT_EQ(point(good("sdi12"), "soil_moisture").missing[1], Value::float64(-9999.5));
}

TEST(Profile, KindsSayWhatTheDriverGives)
{
    const auto profile = good("modbus");
    EXPECT_EQ(point(profile, "demand").kind, "uint32");
    EXPECT_EQ(point(profile, "relay").kind, "bool");
    EXPECT_EQ(point(profile, "label").kind, "text");
    EXPECT_EQ(point(good("ascii"), "wind_speed").kind, "float64");
    EXPECT_EQ(point(good("water-meter.pulse"), "volume_total").kind, "uint64");
}

TEST(Profile, FactorsMayNameParameters)
{
    const auto water = good("water-meter.pulse");
    const auto& volume = water.points[0];
    EXPECT_EQ(volume.scale.parameter, "litres_per_pulse");
    EXPECT_EQ(volume.scale.times, *Fraction::of(1, 1000));
    EXPECT_EQ(volume.offset.parameter, "dial_start");
    EXPECT_EQ(volume.offset.times, Fraction(1));
    EXPECT_TRUE(water.parameters[0].required);
    EXPECT_EQ(water.parameters[0].low, *Fraction::of(1, 10));
    EXPECT_EQ(water.parameters[1].otherwise, Fraction(0));
}

TEST(Profile, RatesAreInTheUnitPerSecond)
{
    const auto wind = point(good("ascii"), "wind_speed");
    EXPECT_EQ(wind.rate_per_second, Fraction(20));
    EXPECT_EQ(wind.stuck, Duration(6h));
}

TEST(Profile, CountersMayWrapAtSixtyFourBits)
{
    const auto profile = good("external");
    EXPECT_EQ(profile.points[0].counter->wrap, ~0ULL);
    EXPECT_FALSE(profile.points[0].counter->report_reset);
}

TEST(Profile, RowsAreCountedByAReadOfTheDriver)
{
    const auto profile = good("modbus");
    const auto battery = point(profile, "battery[16]");
    EXPECT_EQ(get<std::int64_t>(battery.read, "address", 0), 216);
    EXPECT_EQ(get<std::int64_t>(point(profile, battery.row->count).read, "address", 0), 200);
}

}  // namespace

}  // namespace gateway::profile_test
