// What a profile can say of values that other values explain: unit, factor, status, age, rows.
#include "gateway/config/profile.hpp"

#include "folder.hpp"

#include <algorithm>

namespace gateway::told_test {

namespace {

const std::string told = slurp(data_folder + "/good/told.profile.toml");

Profile parse(const std::string& text, std::string& mistakes)
{
    Mistakes found;
    auto profile = parse_profile(text, "p.toml", found);
    mistakes = found.text();
    return profile;
}

const Point& point(const Profile& profile, std::string_view id)
{
    const auto found = std::ranges::find(profile.points, id, &Point::id);
    EXPECT_NE(found, profile.points.end()) << id;
    return *found;
}

/// The only mistake of the profile in which `from` is written as `to`.
std::string mistake_of(const std::string& from, const std::string& to)
{
    std::string mistakes;
    parse(replaced(told, from, to), mistakes);
    return mistakes;
}

TEST(Told, AUnitCodeIsAnExactConversion)
{
    std::string mistakes;
    const auto profile = parse(told, mistakes);
    ASSERT_EQ(mistakes, "");
    const auto& codes = point(profile, "flow").unit_from->codes;
    ASSERT_EQ(codes.size(), 3U);
    EXPECT_EQ(codes[1].first, Value::integer(1));
    EXPECT_EQ(codes[1].second.times.text(), "3.6");
    EXPECT_EQ(codes[2].second.times.text(), "227.12470704") << "a thousand gallons a minute";
    const auto& names = point(profile, "temperature").unit_from->codes;
    EXPECT_EQ(names[1].first, Value::integer(1)) << "written by its name";
    EXPECT_EQ(names[1].second.times.text(), "5/9");
    EXPECT_EQ(names[1].second.plus.text(), "-160/9");
}

TEST(Told, ValuesThatAreReadForOthersComeLastAndAreHidden)
{
    std::string mistakes;
    const auto profile = parse(told, mistakes);
    EXPECT_EQ(visible_points(profile), 10U);
    for (std::size_t row = 0; row < profile.points.size(); ++row) {
        EXPECT_EQ(profile.points[row].hidden, row >= 10) << profile.points[row].id;
    }
    EXPECT_TRUE(point(profile, "flow.unit").hidden);
    EXPECT_EQ(profile.wake->point, "wake.read");
}

TEST(Told, APointWithRowsIsAsManyPoints)
{
    std::string mistakes;
    const auto profile = parse(told, mistakes);
    const auto& third = point(profile, "current[3]");
    EXPECT_EQ(get<std::int64_t>(third.read, "address", 0), 24);
    EXPECT_EQ(third.row->number, 3);
    EXPECT_EQ(third.row->label, "C");
    EXPECT_EQ(third.row->count, "current.count");
    EXPECT_EQ(get<std::int64_t>(point(profile, "current.status[3]").read, "address", 0), 25);
    ASSERT_EQ(profile.alarms.size(), 4U);
    EXPECT_EQ(profile.alarms[2].id, "overload[3]");
    EXPECT_EQ(profile.alarms[2].point, "current[3]");
}

TEST(Told, AFixedNumberOfRowsIsNotRead)
{
    std::string mistakes;
    const auto from = std::string(
        "count = { table = \"input\", address = 9, base = 0, type = \"uint16\" }, max = 4");
    const auto profile = parse(replaced(told, from, "count = 4"), mistakes);
    EXPECT_EQ(mistakes, "");
    EXPECT_EQ(point(profile, "current[4]").row->count, "");
}

TEST(Told, ATextWithTheNumberOfTheRow)
{
    std::string mistakes;
    const auto text = slurp(data_folder + "/good/road-weather.ntcip1204-ess.profile.toml");
    const auto profile = parse(text, mistakes);
    ASSERT_EQ(mistakes, "");
    EXPECT_EQ(get<std::string>(point(profile, "surface_status[8]").read, "oid", {}),
              ".2.9.2.1.7.8");
    EXPECT_EQ(point(profile, "surface_status[8]").good_if->point, "pavement_sensor_error[8]");
    EXPECT_EQ(profile.alarms.size(), 8U);
}

TEST(Told, WhatIsWrongIsSaid)
{
    EXPECT_EQ(
        mistake_of("1 = \"L/s\"", "1 = \"l/s\""),
        "p.toml:40:109: point[1].unit_from.codes.1: \"l/s\" is not in units.toml; the nearest "
        "is \"L/s\"\n");
    EXPECT_EQ(mistake_of("1 = \"L/s\"", "1 = \"bar\"").substr(0, 102),
              "p.toml:40:109: point[1].unit_from.codes.1: \"bar\" is a unit of pressure, but the "
              "point's m3/h is one of");
    EXPECT_NE(mistake_of("celsius = \"Cel\"", "kelvin = \"K\"")
                  .find("\"kelvin\" is not a value that uint16 can have"),
              std::string::npos);
    EXPECT_NE(
        mistake_of("unit_from = { point = \"temperature_unit\"",
                   "unit_from = { point = \"temperature_unot\"")
            .find("there is no point \"temperature_unot\"; the nearest is \"temperature_unit\""),
        std::string::npos);
    EXPECT_NE(mistake_of("unit_from = { point = \"temperature_unit\", ", "unit_from = { ")
                  .find("write either point"),
              std::string::npos);
    EXPECT_NE(mistake_of("power_of_ten = true", "power_of_ten = true, times = 0")
                  .find("is 0 and makes every value 0"),
              std::string::npos);
    EXPECT_NE(mistake_of(", step = 2", "").find("every row would read the same; write step"),
              std::string::npos);
    EXPECT_NE(mistake_of("bits   = { 0 = \"bad\"", "bits   = { 64 = \"bad\"")
                  .find("write a number from 0 to 63"),
              std::string::npos);
    EXPECT_NE(
        mistake_of("otherwise = \"bad\"", "otherwise = \"broken\"").find("is not allowed here"),
        std::string::npos);
    EXPECT_NE(
        mistake_of("is     = \"seconds-ago\"", "is     = \"minutes\"").find("\"seconds-ago\""),
        std::string::npos);
    EXPECT_NE(mistake_of("settle = \"2s\"", "settle = \"2h\"").find("is too long for this"),
              std::string::npos);
    EXPECT_NE(mistake_of("\"current[3]\" = \"3.5 bad\"", "current = 3.5")
                  .find("has rows; write which one, as in \"current[1]\""),
              std::string::npos);
}

TEST(Told, RowsPastTheLastRegisterAreSeen)
{
    EXPECT_NE(mistake_of("step = 2", "step = 21900").find("reaches past the last register"),
              std::string::npos);
}

}  // namespace

}  // namespace gateway::told_test
