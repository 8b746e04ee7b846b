#include "gateway/config/last_good.hpp"

#include "folder.hpp"

namespace gateway::last_good_test {

namespace {

/// A site with one device, a folder of profiles and a state folder.
class LastGood : public testing::Test {
protected:
    LastGood()
    {
        folder.write("shipped/note", "no profiles are shipped");
        folder.write("profiles/water.profile.toml", water);
        folder.write("gateway.toml", good);
    }

    LoadedSite load() const
    {
        return load_site(file, folder.path("shipped"), folder.path("state"));
    }

    const Folder folder;
    const std::string file = folder.path("gateway.toml");
    const std::string water = slurp(data_folder + "/good/water-meter.pulse.profile.toml");
    const std::string good =
        "schema = \"smartstate.site/1\"\n"
        "[gateway]\nid = \"state-17.box\"\norg = \"state-17\"\n"
        "[profiles]\npath = \"profiles\"\ntrust = \"local\"\n"
        "[[device]]\nid = \"water\"\nprofile = \"il.water-meter.pulse\"\n"
        "connect = { chip = \"/dev/gpiochip0\", line = 1 }\nset = { litres_per_pulse = 1 }\n";
};

TEST_F(LastGood, AGoodFileIsUsedAndKept)
{
    const auto loaded = load();
    EXPECT_EQ(loaded.source, "current");
    EXPECT_EQ(loaded.problem, "");
    EXPECT_EQ(loaded.configuration.devices.size(), 1U);
    EXPECT_EQ(loaded.configuration.text, good);
    EXPECT_EQ(slurp(folder.path("state/last-good/gateway.toml")), good);
    EXPECT_FALSE(std::filesystem::exists(folder.path("state/last-good/gateway.toml.new")));
}

TEST_F(LastGood, ABadFileMeansTheLastGoodOneAndTheProblem)
{
    load();
    folder.write("gateway.toml", replaced(good, "litres_per_pulse", "litres"));
    const auto loaded = load();
    EXPECT_EQ(loaded.source, "last-good");
    EXPECT_NE(loaded.problem.find("gateway.toml:12:"), std::string::npos) << loaded.problem;
    ASSERT_EQ(loaded.configuration.devices.size(), 1U);
    EXPECT_EQ(loaded.configuration.text, good);
    EXPECT_EQ(loaded.configuration.site.profiles_path, folder.path("profiles"));
    EXPECT_EQ(slurp(folder.path("state/last-good/gateway.toml")), good);
}

TEST_F(LastGood, S29_AStoreInMemoryIsAMistakeUnlessItIsAccepted)
{
    const auto in_memory = good + "[store]\npath = \"/dev/shm/box/store\"\n";
    folder.write("gateway.toml", in_memory);
    try {
        load();
        FAIL() << "a store on tmpfs was taken";
    } catch (const ConfigError& error) {
        const std::string text = error.what();
        EXPECT_NE(text.find("gateway.toml:14:8: store.path: \"/dev/shm/box/store\" lies in memory"),
                  std::string::npos)
            << text;
    }
    folder.write("gateway.toml", in_memory + "volatile = true\n");
    EXPECT_EQ(load().source, "current");
}

TEST_F(LastGood, S47_AFileOnTrialIsNotLoadedUntilTheTrialHasEnded)
{
    const auto first = load();
    const auto changed = replaced(good, "litres_per_pulse = 1 ", "litres_per_pulse = 10 ");
    ASSERT_NE(changed, good);
    folder.write("gateway.toml", changed);
    Mistakes none;
    const auto next = check_site(file, folder.path("shipped"), none);
    ASSERT_TRUE(begin_trial(folder.path("state"), next.site.hash).has_value());
    const auto tried = load();
    EXPECT_EQ(tried.source, "last-good");
    EXPECT_EQ(tried.configuration.text, good);
    EXPECT_NE(tried.problem.find("taken back"), std::string::npos) << tried.problem;
    end_trial(folder.path("state"));
    EXPECT_EQ(load().source, "current");
    EXPECT_EQ(slurp(folder.path("state/last-good/gateway.toml")), changed);
}

TEST_F(LastGood, S47_ATrialOfAnotherFileAndOneWithNothingBeforeItChangeNothing)
{
    ASSERT_TRUE(begin_trial(folder.path("state"), "0123456789abcdef").has_value());
    EXPECT_EQ(load().source, "current");
    std::filesystem::remove_all(folder.path("state"));
    Mistakes none;
    const auto only = check_site(file, folder.path("shipped"), none);
    ASSERT_TRUE(begin_trial(folder.path("state"), only.site.hash).has_value());
    EXPECT_EQ(load().source, "current");
}

TEST_F(LastGood, AMissingFileIsABadOne)
{
    load();
    std::filesystem::remove(file);
    const auto loaded = load();
    EXPECT_EQ(loaded.source, "last-good");
    EXPECT_NE(loaded.problem.find("cannot be read"), std::string::npos);
}

TEST_F(LastGood, ABrokenProfileMeansTheKeptOne)
{
    load();
    folder.write("profiles/water.profile.toml", replaced(water, "\"20ms\"", "20"));
    const auto loaded = load();
    EXPECT_EQ(loaded.source, "last-good");
    EXPECT_NE(loaded.problem.find("water.profile.toml:25:12: transport.debounce: 20 is not"),
              std::string::npos)
        << loaded.problem;
    ASSERT_EQ(loaded.configuration.devices.size(), 1U);
    EXPECT_EQ(loaded.configuration.devices[0].profile->version, "1.0.0");
}

TEST_F(LastGood, ABrokenProfileThatNoDeviceUsesDoesNotMatter)
{
    folder.write("profiles/other.profile.toml", "broken");
    const auto loaded = load();
    EXPECT_EQ(loaded.source, "current");
    EXPECT_EQ(loaded.configuration.profile_mistakes.lines().size(), 1U);
}

TEST_F(LastGood, WithNeitherItThrowsEveryMistake)
{
    folder.write("gateway.toml",
                 replaced(replaced(good, "state-17\"", "town-1\""), "line = 1", "line = -1"));
    try {
        load();
        FAIL();
    } catch (const ConfigError& error) {
        EXPECT_NE(std::string(error.what()).find(":4:7: gateway.org"), std::string::npos);
        EXPECT_NE(std::string(error.what()).find("device[1].connect.line"), std::string::npos);
    }
}

TEST_F(LastGood, ADamagedCopyIsNotUsed)
{
    load();
    folder.write("state/last-good/gateway.toml", good.substr(0, 100));
    folder.write("gateway.toml", "broken");
    EXPECT_THROW(load(), ConfigError);
}

TEST_F(LastGood, AChangedGoodFileReplacesTheCopy)
{
    load();
    const auto changed = replaced(good, "litres_per_pulse = 1", "litres_per_pulse = 10");
    folder.write("gateway.toml", changed);
    EXPECT_EQ(load().source, "current");
    EXPECT_EQ(slurp(folder.path("state/last-good/gateway.toml")), changed);
}

TEST_F(LastGood, AStateFolderThatCannotBeWrittenDoesNotStopAGoodFile)
{
    folder.write("state", "a file where the folder should be");
    EXPECT_EQ(load().source, "current");
}

}  // namespace

}  // namespace gateway::last_good_test
