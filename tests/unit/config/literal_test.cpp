#include "gateway/config/literal.hpp"

#include "gateway/config/version.hpp"

#include <gtest/gtest.h>

namespace gateway::literal_test {

namespace {

using namespace std::chrono_literals;

TEST(Literal, ReadsDurations)
{
    EXPECT_EQ(parse_duration("300ms"), Duration(300ms));
    EXPECT_EQ(parse_duration("5s"), Duration(5s));
    EXPECT_EQ(parse_duration("15m"), Duration(15min));
    EXPECT_EQ(parse_duration("1h"), Duration(1h));
    EXPECT_EQ(parse_duration("7d"), Duration(168h));
    EXPECT_EQ(parse_duration("0s"), Duration(0s));
}

TEST(Literal, RefusesWhatIsNoDuration)
{
    for (const auto* text : {"5", "", "s", "5 s", "-5s", "1.5s", "5S", "5sec", "+5s", "5s ",
                             "3651d", "99999999999999999999s", "18446744073709551615ms"}) {
        EXPECT_FALSE(parse_duration(text)) << text;
    }
}

TEST(Literal, ReadsSizes)
{
    EXPECT_EQ(parse_bytes("2GiB"), 2ULL << 30);
    EXPECT_EQ(parse_bytes("64KiB"), 65'536U);
    EXPECT_EQ(parse_bytes("0B"), 0U);
    for (const auto* text : {"2GB", "2", "GiB", "2 GiB", "9999999999GiB", "-1B"}) {
        EXPECT_FALSE(parse_bytes(text)) << text;
    }
}

TEST(Literal, ReadsPercentagesExactly)
{
    EXPECT_EQ(parse_percent("70%"), Fraction::of(7, 10));
    EXPECT_EQ(parse_percent("2.5%"), Fraction::of(1, 40));
    EXPECT_FALSE(parse_percent("70"));
    EXPECT_FALSE(parse_percent("%"));
}

TEST(Literal, KnowsWhichDaysExist)
{
    EXPECT_TRUE(is_date("2028-02-29"));
    for (const auto* text : {"2027-02-29", "2027-13-01", "2027-1-01", "2027-01-0a", "20270101"}) {
        EXPECT_FALSE(is_date(text)) << text;
    }
}

TEST(Literal, ReadsAddresses)
{
    EXPECT_EQ(parse_host_port("10.0.0.5:502")->host, "10.0.0.5");
    EXPECT_EQ(parse_host_port("[fd00::5]:502")->host, "fd00::5");
    EXPECT_EQ(parse_host_port("meter.example:65535")->port, 65'535);
    for (const auto* text : {"10.0.0.5", "10.0.0.5:0", "10.0.0.5:65536", ":502", "a b:502",
                             "fd00::5:502", "host:", "host:5x", "[]:502", "-x:1", "user@host:1"}) {
        EXPECT_FALSE(parse_host_port(text)) << text;
    }
}

TEST(Literal, KnowsLoopback)
{
    EXPECT_TRUE(is_loopback("127.0.0.1"));
    EXPECT_TRUE(is_loopback("127.8.9.10"));
    EXPECT_TRUE(is_loopback("::1"));
    EXPECT_TRUE(is_loopback("localhost"));
    EXPECT_FALSE(is_loopback("127.example.org"));
    EXPECT_FALSE(is_loopback("10.0.0.1"));
}

TEST(Literal, ChecksFormats)
{
    EXPECT_TRUE(org_format.fits("county-17031"));
    EXPECT_TRUE(org_format.fits("special-water.north"));
    EXPECT_FALSE(org_format.fits("county-1703"));
    EXPECT_FALSE(org_format.fits("school-"));
    EXPECT_TRUE(id_format.fits(std::string(63, 'a')));
    EXPECT_FALSE(id_format.fits(std::string(64, 'a')));
    EXPECT_FALSE(id_format.fits(".a"));
    EXPECT_FALSE(secret_format.fits("."));
    EXPECT_FALSE(secret_format.fits(".."));
    EXPECT_FALSE(secret_format.fits("a/b"));
    EXPECT_TRUE(secret_format.fits("A_b-c.d"));
    EXPECT_TRUE(pointer_format.fits("/a~1b/0/~0"));
    EXPECT_FALSE(pointer_format.fits("/a~2"));
    EXPECT_FALSE(pointer_format.fits("a"));
    EXPECT_FALSE(regex_format.fits("(a"));
    EXPECT_TRUE(oid_format.fits(".2.5.{i}"));
    EXPECT_FALSE(oid_format.fits("2..5"));
    EXPECT_FALSE(url_format.fits("http://user:word@host"));
    EXPECT_FALSE(firmware_format.fits("1.3"));
}

TEST(Literal, NamesTheNearestWord)
{
    EXPECT_EQ(nearest("pol", {"title", "poll", "report"}), "poll");
    EXPECT_EQ(nearest("litres", {"dial", "litres_per_pulse"}), "litres_per_pulse");
    EXPECT_EQ(nearest("zzzz", {"title", "poll"}), "");
    EXPECT_EQ(nearest("", {"a"}), "");
}

TEST(Literal, ComparesFractionsExactly)
{
    EXPECT_TRUE(less(*Fraction::of(1, 3), *Fraction::of(1'000'000'000, 2'999'999'999)));
    EXPECT_FALSE(less(Fraction(-1), Fraction(-1)));
    EXPECT_TRUE(less(Fraction(std::numeric_limits<std::int64_t>::min() + 1), Fraction(0)));
}

TEST(Version, ComparesPartByPart)
{
    EXPECT_TRUE(std::is_gt(compare_versions("1.10", "1.9")));
    EXPECT_TRUE(std::is_lt(compare_versions("1.2", "1.2.0")));
    EXPECT_TRUE(std::is_gt(compare_versions("7.04b", "7.04a")));
    EXPECT_TRUE(std::is_eq(compare_versions("1.0.0", "1.0.0")));
    EXPECT_TRUE(std::is_lt(compare_versions("", "0")));
}

}  // namespace

}  // namespace gateway::literal_test
