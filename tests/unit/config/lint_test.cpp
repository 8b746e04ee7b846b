#include "gateway/config/lint.hpp"

#include "folder.hpp"

namespace gateway::lint_test {

namespace {

const std::string meter = slurp(data_folder + "/good/energy-meter.schneider-iem3155.profile.toml");

std::string lint_of(const std::string& text)
{
    Mistakes mistakes;
    const auto profile = parse_profile(text, "p.toml", mistakes);
    EXPECT_EQ(mistakes.text(), "");
    lint(profile, text, mistakes);
    return mistakes.text();
}

TEST(Lint, ARealProfileIsClean)
{
    EXPECT_EQ(lint_of(meter), "");
}

TEST(Lint, AFinalProfileShowsExamplesAndSources)
{
    EXPECT_EQ(lint_of(meter.substr(0, meter.find("[[example]]"))),
              "p.toml: example: a final profile shows one [[example]] or more\n");
    const auto from = meter.find("sources  = [");
    const auto without = meter.substr(0, from) + meter.substr(meter.find("[device]"));
    EXPECT_EQ(
        lint_of(without),
        "p.toml:4:1: profile.sources: a final profile says where its map is from; write sources = "
        "[\"…\"]\n");
    EXPECT_EQ(lint_of(replaced(without, "\"final\"", "\"draft\"")), "");
}

TEST(Lint, AFinalProfileTellsTheDeviceFromOthers)
{
    const auto none =
        replaced(replaced(meter, "required = true\n", "\n"), "required = true\n", "\n");
    EXPECT_EQ(
        lint_of(none),
        "p.toml:36:1: identify: nothing tells this device from another; write required = true in "
        "one\n");
}

TEST(Lint, AReadIsNotLongerThanTheProfileAllows)
{
    EXPECT_EQ(
        lint_of(replaced(meter, "max_words  = 60", "max_words  = 3 ")),
        "p.toml:93:12: point active_energy_import.read: needs 4 registers; transport.max_words "
        "allows 3: write a smaller count or a larger max_words\n");
}

TEST(Lint, ThresholdsAreInsideTheValidRange)
{
    EXPECT_EQ(lint_of(replaced(meter, "below = 105.0", "below = 10.0 ")),
              "p.toml:104:12: alarm under_voltage.when: 10 is outside the valid range of "
              "voltage_l1_n and "
              "is never reached by a good reading; write one from 60 to 330\n");
    EXPECT_EQ(lint_of(replaced(meter, "[59.5, 60.5]", "[59.5, 66.0]")),
              "p.toml:127:10: acceptance mains-frequency.range: 66 is outside the valid range of "
              "frequency "
              "and is never reached by a good reading; write one from 45 to 65\n");
}

TEST(Lint, AnAlarmLeavesAGap)
{
    EXPECT_EQ(
        lint_of(replaced(meter, "above = 108.0", "above = 104.0")),
        "p.toml:105:12: alarm under_voltage.clear: when and clear can hold together; leave a gap "
        "between them\n");
}

TEST(Lint, TimesAreNotShorterThanThePoll)
{
    EXPECT_EQ(
        lint_of(replaced(meter, "max = \"15m\"", "max = \"5s\" ")),
        "p.toml:60:12: point voltage_l1_n.report: report.every and report.max are at least as "
        "long as poll\n");
}

TEST(Lint, RulesForNumbersNeedANumber)
{
    const auto modbus = slurp(data_folder + "/good/modbus.profile.toml");
    EXPECT_EQ(lint_of(modbus), "");
    EXPECT_NE(lint_of(replaced(modbus, "bad_enum = [\"fault\"]", "valid = [0, 2]"))
                  .find("point state.valid: is a name or a text; valid, deadband"),
              std::string::npos);
}

TEST(Lint, PointsThatAgreeHaveOneUnit)
{
    const auto modbus = slurp(data_folder + "/good/modbus.profile.toml");
    EXPECT_NE(lint_of(replaced(modbus, "[\"current\", \"current\"]", "[\"current\", \"demand\"]"))
                  .find("check same.points: demand and current have different units"),
              std::string::npos);
}

}  // namespace

}  // namespace gateway::lint_test
