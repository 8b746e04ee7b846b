#include "gateway/runtime/log.hpp"

#include <gtest/gtest.h>

using namespace gateway;

namespace {

TEST(Log, ALineHasPriorityTextAndFields)
{
    EXPECT_EQ(log_line(LogLevel::warning, "broker connection lost",
                       {{"broker", "10.0.0.1:8883"}, {"seconds", 12}, {"rate", 1.5}, {"left", -3}}),
              "<4>broker connection lost broker=10.0.0.1:8883 seconds=12 rate=1.5 left=-3\n");
}

TEST(Log, ValuesAreQuotedWhereNeededAndControlCharactersEscaped)
{
    const std::string name = "Town \"hall\"";
    EXPECT_EQ(log_line(LogLevel::error, "x",
                       {{"name", name}, {"empty", ""}, {"forged", "a\n<3>b"}, {"k", "a=b"}}),
              "<3>x name=\"Town \\\"hall\\\"\" empty=\"\" forged=\"a\\x0a<3>b\" k=\"a=b\"\n");
}

TEST(Log, ALineHasAnEnd)
{
    const std::string endless(1'000'000, 'x');
    const auto line = log_line(LogLevel::info, "x", {{"a", endless}, {"b", endless}});
    EXPECT_LE(line.size(), 2048U);
    EXPECT_EQ(line.substr(line.size() - 4), "...\n");
}

TEST(Log, LinesAreCountedAlsoWhereTheyAreNotWritten)
{
    const auto before = logged(LogLevel::debug);
    testing::internal::CaptureStderr();
    log(LogLevel::debug, "not shown");
    log(LogLevel::info, "shown");
    set_log_level(LogLevel::debug);
    log(LogLevel::debug, "now shown");
    set_log_level(LogLevel::info);
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "<6>shown\n<7>now shown\n");
    EXPECT_EQ(logged(LogLevel::debug), before + 2);
}

}  // namespace
