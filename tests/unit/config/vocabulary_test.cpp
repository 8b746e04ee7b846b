#include "gateway/config/vocabulary.hpp"

#include "folder.hpp"

#include <algorithm>

namespace gateway::vocabulary_test {

namespace {

TEST(Vocabulary, TheShippedWordsFitTogether)
{
    Mistakes mistakes;
    const auto words = load_vocabulary(schemas_folder(), mistakes);
    EXPECT_EQ(mistakes.text(), "");
    EXPECT_GE(words.quantities.size(), 60U);
    EXPECT_GE(words.units.size(), 80U);
    for (const auto& [name, quantity] : words.quantities) {
        const auto fits = [&dimension = quantity.dimension](const auto& unit) {
            return unit.second.dimension == dimension;
        };
        EXPECT_TRUE(quantity.dimension == "none" || std::ranges::any_of(words.units, fits)) << name;
    }
}

TEST(Vocabulary, MistakesInItsFilesAreNamed)
{
    const Folder folder;
    folder.write("units.toml", "[unit.V]\ntitle = \"volt\"\ndimention = \"voltage\"\n");
    Mistakes mistakes;
    const auto words = load_vocabulary(folder.path(), mistakes);
    EXPECT_TRUE(words.units.contains("V"));
    ASSERT_EQ(mistakes.lines().size(), 3U) << mistakes.text();
    EXPECT_TRUE(
        mistakes.lines()[0].starts_with(folder.path("quantities.toml") + ": cannot be read"));
    EXPECT_EQ(mistakes.lines()[1],
              folder.path("units.toml") + ":1:1: unit.V.dimension: is missing");
    EXPECT_EQ(mistakes.lines()[2], folder.path("units.toml") +
                                       ":3:1: unit.V.dimention: unknown key; write \"dimension\"");
}

}  // namespace

}  // namespace gateway::vocabulary_test
