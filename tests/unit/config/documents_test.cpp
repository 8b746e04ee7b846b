// Every document in tests/data/config: the good ones have no mistake, each bad one has the mistake
// that its first line expects and no more than follow from it.
#include "gateway/config/lint.hpp"
#include "gateway/config/profile.hpp"
#include "gateway/config/site.hpp"

#include "folder.hpp"

#include <algorithm>

namespace gateway::documents_test {

namespace {

Vocabulary vocabulary()
{
    Mistakes mistakes;
    auto words = load_vocabulary(schemas_folder(), mistakes);
    EXPECT_EQ(mistakes.text(), "");
    return words;
}

Mistakes check(const std::string& text, const std::string& name, const Vocabulary& words)
{
    Mistakes mistakes;
    if (name.ends_with(".site.toml")) {
        parse_site(text, name, mistakes);
    } else {
        parse_profile(text, name, words, mistakes);
    }
    return mistakes;
}

std::vector<std::filesystem::path> documents(const std::string& kind)
{
    std::vector<std::filesystem::path> all;
    for (const auto& entry :
         std::filesystem::directory_iterator(std::filesystem::path(data_folder) / kind)) {
        all.push_back(entry.path());
    }
    std::ranges::sort(all);
    return all;
}

TEST(Documents, GoodOnesHaveNoMistake)
{
    const auto words = vocabulary();
    const auto all = documents("good");
    EXPECT_GE(all.size(), 15U);
    for (const auto& path : all) {
        EXPECT_EQ(check(slurp(path), path.filename(), words).text(), "") << path;
    }
}

TEST(Documents, EachBadOneSaysWhatIsWrongAndWhere)
{
    const auto words = vocabulary();
    const auto all = documents("bad");
    EXPECT_GE(all.size(), 70U);
    for (const auto& path : all) {
        const auto text = slurp(path);
        constexpr std::string_view mark = "# expect: ";
        ASSERT_TRUE(text.starts_with(mark)) << path;
        const auto expected = path.filename().string() + ':' +
                              text.substr(mark.size(), text.find('\n') - mark.size());
        const auto mistakes = check(text, path.filename(), words);
        ASSERT_FALSE(mistakes.empty()) << path;
        EXPECT_EQ(mistakes.lines().front(), expected);
        EXPECT_LE(mistakes.lines().size(), 2U) << mistakes.text();
    }
}

TEST(Documents, EveryPrefixIsReadWithoutHarm)
{
    const auto words = vocabulary();
    for (const auto* name : {"modbus.profile.toml", "complete.site.toml"}) {
        const auto whole = slurp(data_folder + "/good/" + name);
        std::size_t refused = 0;
        for (std::size_t size = 0; size < whole.size(); size += 11) {
            refused += check(whole.substr(0, size), name, words).empty() ? 0U : 1U;
        }
        EXPECT_GT(refused, whole.size() / 22) << name;
    }
}

TEST(Documents, EveryChangedByteIsReadWithoutHarm)
{
    const auto words = vocabulary();
    const auto whole = slurp(data_folder + "/good/modbus.profile.toml");
    std::uint32_t state = 1;
    std::size_t refused = 0;
    for (int round = 0; round < 150; ++round) {
        auto text = whole;
        for (int i = 0; i < 4; ++i) {
            state = state * 1'664'525 + 1'013'904'223;
            text[(state >> 8U) % text.size()] = static_cast<char>(state >> 24U);
        }
        refused += check(text, "modbus.profile.toml", words).empty() ? 0U : 1U;
    }
    EXPECT_GT(refused, 40U);
}

TEST(Documents, AllMistakesAreReportedAtOnceInTheirOrder)
{
    const auto words = vocabulary();
    auto text = slurp(data_folder + "/good/energy-meter.schneider-iem3155.profile.toml");
    text = replaced(text, "status   = \"final\" ", "status   = \"ready\" ");
    text = replaced(text, "\"300ms\"", "\"300\"  ");
    text = replaced(text, "unit     = \"W\"", "unit     = \"V\"");
    text = replaced(text, "severity = \"warning\"", "severity = \"loud\"");
    const auto lines = check(text, "p.toml", words).lines();
    ASSERT_EQ(lines.size(), 4U);
    EXPECT_EQ(lines[0],
              "p.toml:9:12: profile.status: \"ready\" is not allowed here; write one of \"draft\", "
              "\"final\"");
    EXPECT_EQ(lines[1],
              "p.toml:30:14: transport.timeout: \"300\" is not a duration; write \"300s\"");
    EXPECT_TRUE(lines[2].starts_with("p.toml:67:12: point[2].unit: \"V\" is a unit of voltage"));
    EXPECT_TRUE(lines[3].starts_with("p.toml:106:12: alarm[1].severity: \"loud\""));
}

TEST(Documents, TooLargeIsRefused)
{
    const auto words = vocabulary();
    const auto lines = check(std::string(256 * 1024 + 1, '#'), "p.toml", words).lines();
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_EQ(lines[0], "p.toml: is larger than 256 KB; split it");
    EXPECT_EQ(check("#" + std::string(256 * 1024 - 1, '#'), "p.toml", words)
                  .lines()
                  .front()
                  .substr(0, 23),
              "p.toml:1:1: schema: is ");
}

TEST(Documents, MoreThan512PointsAreRefused)
{
    const auto words = vocabulary();
    auto text = slurp(data_folder + "/good/water-meter.pulse.profile.toml");
    const auto point = text.substr(text.find("[[point]]"));
    for (int i = 0; i < 512; ++i) {
        text += '\n' + replaced(point, "volume_total", "volume_" + std::to_string(i));
    }
    const auto lines = check(text, "p.toml", words).lines();
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_TRUE(lines[0].ends_with("point: has 513 entries; at most 512 are allowed")) << lines[0];
}

TEST(Documents, MistakesAreBounded)
{
    std::string text = "schema = \"smartstate.site/1\"\n";
    for (int i = 0; i < 20'000; ++i) {
        text += 'k' + std::to_string(i) + "=1\n";
    }
    Mistakes mistakes;
    parse_site(text, "s.toml", mistakes);
    EXPECT_EQ(mistakes.lines().size(), Mistakes::most);
}

TEST(Documents, AQuotedValueIsCutBetweenCharactersAndWithoutControls)
{
    Mistakes mistakes;
    std::string name = "\\u0007";
    for (int i = 0; i < 100; ++i) {
        name += "é";
    }
    parse_site("schema = \"" + name + "\"", "s.toml", mistakes);
    ASSERT_FALSE(mistakes.empty());
    std::string shown = "\"?";
    for (int i = 0; i < 29; ++i) {
        shown += "é";
    }
    EXPECT_NE(mistakes.text().find(shown + "…\" is not allowed"), std::string::npos)
        << mistakes.text();
}

}  // namespace

}  // namespace gateway::documents_test
