#include "gateway/core/json.hpp"

#include <gtest/gtest.h>

#include <string>

namespace gateway {
namespace {

std::string nested(std::size_t depth)
{
    return std::string(depth, '[') + std::string(depth, ']');
}

TEST(Json, TakesOneValueUpToTheLimit)
{
    const std::string text = R"({"schema":"smartstate.receipt/1"})";
    const auto value = parse_json(text, text.size());
    ASSERT_TRUE(value);
    EXPECT_EQ(text_of(value->as_object(), "schema"), "smartstate.receipt/1");
    EXPECT_EQ(parse_json(text, text.size() - 1).error(), Fault::too_large);
}

TEST(Json, AWholeNumberIsNoFractionAndNotTooLarge)
{
    const auto value = parse_json(R"({"a":-5,"b":5.0,"c":"5","d":9223372036854775808})");
    ASSERT_TRUE(value);
    const auto& object = value->as_object();
    EXPECT_EQ(integer_of(object, "a"), -5);
    for (const auto* key : {"b", "c", "d", "e"}) {
        EXPECT_EQ(integer_of(object, key, 7), 7) << key;
    }
    EXPECT_EQ(integer_of(json::object{{"unit", 5U}}, "unit"), 5);
}

TEST(Json, RefusesEveryPrefixAndWhatFollows)
{
    const std::string text = R"({"a":[1,-2.5e3,"\u00e9",true,null]})";
    for (std::size_t size = 0; size < text.size(); ++size) {
        EXPECT_EQ(parse_json(text.substr(0, size)).error(), Fault::malformed) << size;
    }
    EXPECT_EQ(parse_json(text + "x").error(), Fault::malformed);
}

TEST(Json, RefusesDeepNesting)
{
    EXPECT_TRUE(parse_json(nested(32)));
    EXPECT_EQ(parse_json(nested(33)).error(), Fault::malformed);
    EXPECT_EQ(parse_json(std::string(100'000, '[')).error(), Fault::malformed);
}

TEST(Json, RefusesBytesThatAreNotUtf8)
{
    EXPECT_EQ(parse_json("\"\xC3\x28\"").error(), Fault::malformed);
}

TEST(Json, TextOfAnAbsentOrOtherMemberIsTheFallback)
{
    const json::object object{{"number", 1}, {"empty", ""}};
    EXPECT_EQ(text_of(object, "number", "none"), "none");
    EXPECT_EQ(text_of(object, "absent", "none"), "none");
    EXPECT_EQ(text_of(object, "empty", "none"), "");
}

}  // namespace
}  // namespace gateway
