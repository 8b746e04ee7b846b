#include "drivers/mqtt_json/topic.hpp"

#include <gtest/gtest.h>

namespace gateway::mqtt_json {
namespace {

TEST(MqttTopic, FiltersAreThoseOfTheStandard)
{
    const std::pair<const char*, const char*> same[] = {
        {"a/b", "a/b"},
        {"a/+", "a/b"},
        {"+/b", "a/b"},
        {"+/+", "a/b"},
        {"#", "a/b"},
        {"a/#", "a/b/c"},
        {"a/#", "a"},
        {"a/+/#", "a/b"},
        {"+", "a"},
        {"/+", "/a"},
        {"+/+", "/a"},
        {"a/+", "a/"},
        {"$SYS/#", "$SYS/x"},
        {"a//b", "a//b"},
        {"a/+/b", "a//b"},
        {"application/+/device/0102/event/up", "application/1/device/0102/event/up"}};
    for (const auto& [filter, topic] : same) {
        EXPECT_TRUE(matches(filter, topic)) << filter << " " << topic;
    }
    const std::pair<const char*, const char*> other[] = {
        {"a/b", "a/c"}, {"a/b", "a"}, {"a", "a/b"},    {"a/+", "a/b/c"}, {"a/+", "a"},
        {"+", "/a"},    {"+", "a/b"}, {"a/#", "b"},    {"#", "$SYS/x"},  {"+/x", "$SYS/x"},
        {"a/b/#", "a"}, {"a/b", ""},  {"a/+/b", "a/b"}};
    for (const auto& [filter, topic] : other) {
        EXPECT_FALSE(matches(filter, topic)) << filter << " " << topic;
    }
}

}  // namespace
}  // namespace gateway::mqtt_json
