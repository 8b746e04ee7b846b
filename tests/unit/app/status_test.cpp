#include "gateway/app/status.hpp"
#include "gateway/app/value.hpp"
#include "gateway/config/file.hpp"
#include "tests/unit/store/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

namespace gateway::status_test {

using namespace std::chrono_literals;

namespace {

/// A box on which nothing is wrong; each test spoils one thing.
class StatusAnswer : public testing::Test {
protected:
    StatusAnswer()
    {
        site.id = "place-1714000.box-0001";
        auto described = std::make_shared<Profile>();
        described->id = "test.meter";
        described->version = "1.0.0";
        described->points.resize(2);
        config.site.id = "meter";
        config.profile = described;
        DeviceView device{.config = &config, .receipted = true};
        device.status.answering = true;
        device.status.last_good = BootTime(99s);
        device.status.identified.verdict = IdentityVerdict::verified;
        box.site = &site;
        box.configuration_source = "current";
        box.now = Instant(100s);
        box.clock = {.wall = WallTime(std::chrono::hours(24 * 365 * 56)),
                     .state = ClockState::synced,
                     .error_ms = 3};
        box.uplink_configured = true;
        box.connected = true;
        box.store.free_bytes = 1ULL << 30;
        box.devices.push_back(device);
    }

    json::object answer() const { return status_json(box); }
    DeviceStatus& device() { return box.devices.front().status; }

    /// What is wrong, when it is one thing.
    std::string only_problem() const
    {
        const auto said = answer();
        EXPECT_FALSE(said.at("ok").as_bool());
        const auto& missing = said.at("missing").as_array();
        EXPECT_EQ(missing.size(), 1U) << missing;
        return missing.empty() ? "" : std::string(missing.front().as_string());
    }

    bool advises(std::string_view text) const
    {
        const auto advice = advice_for(site, {&config}, box.clock);
        return std::ranges::any_of(
            advice, [text](const auto& line) { return line.find(text) != std::string::npos; });
    }

    Site site;
    DeviceConfig config;
    BoxView box;
};

bool begins(const std::string& text, std::string_view with)
{
    return text.starts_with(with);
}

TEST_F(StatusAnswer, CountsOnlyPointsThatHaveReadingsOfTheirOwn)
{
    auto profile = *config.profile;
    profile.points.resize(3);
    profile.points.back().hidden = true;  // the unit of another one
    config.profile = std::make_shared<Profile>(profile);
    const Reading good{.value = Value::integer(1), .quality = Quality::good};
    device().latest = {good, {.quality = Quality::comm_error}, good};
    const auto line = std::string(answer().at("device_lines").at(0).as_string());
    EXPECT_NE(line.find(" 1 of 2 points good"), std::string::npos) << line;
}

TEST_F(StatusAnswer, IsWellWhenEveryDeviceIsReceiptedAndClockAndDiskAreFine)
{
    const auto said = answer();
    EXPECT_TRUE(said.at("ok").as_bool()) << said.at("missing");
    EXPECT_TRUE(said.at("missing").as_array().empty());
}

TEST_F(StatusAnswer, ADeadDeviceIsNamedWithItsCauseAndWhatToTry)
{
    device().answering = false;
    device().last_cause = Cause::timeout;
    const auto problem = only_problem();
    EXPECT_TRUE(begins(problem, "meter does not answer (timeout)")) << problem;
    EXPECT_NE(problem.find("smart-gateway why meter"), std::string::npos) << problem;
}

TEST_F(StatusAnswer, ACertificateThatEndsIsAnAdviceFirstAndThenAFault)
{
    box.certificate_days_left = 31;
    EXPECT_TRUE(answer().at("advice").as_array().empty());
    box.certificate_days_left = 30;
    EXPECT_TRUE(answer().at("ok").as_bool());
    EXPECT_EQ(answer().at("advice").as_array().size(), 1U);
    box.certificate_days_left = 14;
    EXPECT_TRUE(begins(only_problem(), "the certificate of this box ends in 14 days"));
    EXPECT_TRUE(answer().at("advice").as_array().empty());
    box.certificate_days_left = -1;
    EXPECT_TRUE(begins(only_problem(), "the certificate of this box has ended"));
}

TEST_F(StatusAnswer, AnotherDeviceThanTheProfileSays)
{
    device().identified.verdict = IdentityVerdict::mismatch;
    EXPECT_TRUE(begins(only_problem(), "meter is another device"));
}

TEST_F(StatusAnswer, AnswersButNothingGood)
{
    device().last_good.reset();
    EXPECT_TRUE(begins(only_problem(), "meter answers but has no good reading yet"));
}

TEST_F(StatusAnswer, AReadingThatThePlatformHasNotConfirmed)
{
    box.devices.front().receipted = false;
    EXPECT_TRUE(begins(only_problem(), "the platform has not confirmed a reading of meter"));
}

TEST_F(StatusAnswer, S34_AReceiverThatConfirmsNothingMore)
{
    box.unconfirmed_for = 4min;
    EXPECT_TRUE(answer().at("ok").as_bool());
    box.unconfirmed_for = 6min;
    const auto problem = only_problem();
    EXPECT_TRUE(begins(problem, "the platform takes readings and has confirmed none for 6 min"))
        << problem;
    EXPECT_NE(problem.find("receiver-1"), std::string::npos) << problem;
}

TEST_F(StatusAnswer, N17_ABrokerThatRefusesATopic)
{
    box.refused_topic = "ss1/place-1714000/data/place-1714000.box-0001";
    EXPECT_TRUE(begins(only_problem(), "the broker does not let this box publish on ss1/place-"));
}

TEST_F(StatusAnswer, ABrokerThatTakesNoMessageSoLarge)
{
    box.too_large = "431204 bytes on ss1/place-1714000/birth/place-1714000.box-0001";
    EXPECT_TRUE(
        begins(only_problem(), "the broker takes no message of 431204 bytes on ss1/place-"));
}

TEST_F(StatusAnswer, F7_AStoreThatCannotBeUsedIsNoFullDiskAndNoSlowPlatform)
{
    box.store = {.usable = false};
    box.devices.front().receipted = false;
    EXPECT_TRUE(begins(only_problem(), "the store in /var/lib/smart-gateway cannot be used"));
}

TEST_F(StatusAnswer, AStoreThatStandsStillIsSaidFirstOfAllItsTroubles)
{
    box.store.free_bytes = 1'024;
    box.store_busy = std::chrono::seconds(45);
    box.devices.front().receipted = false;  // not known
    EXPECT_EQ(only_problem(),
              "the store in /var/lib/smart-gateway has been busy with one write for 45 s: its card "
              "or disk stalls; see dmesg, and replace the card if it happens again");
}

TEST_F(StatusAnswer, ADeadBrokerIsSaidWithItsReason)
{
    box.connected = false;
    box.uplink_problem = "connection refused";
    EXPECT_TRUE(begins(only_problem(), "no connection to the platform (connection refused)"));
}

TEST_F(StatusAnswer, ABoxWithoutAPlatformIsNotWell)
{
    box.uplink_configured = false;
    box.connected = false;
    box.devices.front().receipted = false;  // nobody could
    EXPECT_TRUE(begins(only_problem(), "no platform is configured"));
}

TEST_F(StatusAnswer, ABrokerADeviceAndACertificateAreAllInTheVerdict)
{
    box.connected = false;
    box.uplink_problem = "connection refused";
    box.uplink_failing_for = 3h;
    box.certificate_days_left = 5;
    box.clock.wall = WallTime(std::chrono::hours(24 * 365 * 55));
    device().answering = false;
    device().last_cause = Cause::timeout;
    box.devices.front().failing_for = 90s;
    const auto said = answer();
    EXPECT_EQ(said.at("verdict").as_string(),
              "Not all is well: the platform is not reached, the certificate ends in 5 days, meter "
              "does not answer.");
    const auto& missing = said.at("missing").as_array();
    ASSERT_EQ(missing.size(), 3U);
    EXPECT_NE(missing[0].as_string().find("(connection refused) since 20"), std::string::npos);
    EXPECT_NE(missing[0].as_string().find("(3 h): readings are kept"), std::string::npos);
    EXPECT_NE(missing[2].as_string().find("(timeout) since 20"), std::string::npos);
    box.clock.state = ClockState::unset;
    const auto undated = answer().at("missing").as_array();
    EXPECT_NE(undated.back().as_string().find("(timeout) for 90 s:"), std::string::npos) << undated;
}

TEST_F(StatusAnswer, ManyProblemsAreCountedInTheVerdict)
{
    device().answering = false;
    device().last_cause = Cause::timeout;
    box.devices.resize(9, box.devices.front());
    const auto verdict = std::string(answer().at("verdict").as_string());
    EXPECT_TRUE(verdict.ends_with("meter does not answer, and 5 more.")) << verdict;
}

TEST_F(StatusAnswer, ABadSiteFileIsSaidByItsFirstMistake)
{
    box.configuration_problem = "gateway.toml:3:1: first\ngateway.toml:9:1: second";
    const auto problem = only_problem();
    EXPECT_NE(problem.find("gateway.toml:3:1: first"), std::string::npos) << problem;
    EXPECT_EQ(problem.find("second"), std::string::npos) << problem;
}

TEST_F(StatusAnswer, AnUnsetClockAndAFullDisk)
{
    box.clock.state = ClockState::unset;
    box.store.free_bytes = 1'024;
    const auto missing = answer().at("missing").as_array();
    ASSERT_EQ(missing.size(), 2U);
    EXPECT_TRUE(missing[0].as_string().starts_with("the clock is not set"));
    EXPECT_TRUE(missing[1].as_string().starts_with("the disk is nearly full: 1.0 KiB"));
}

TEST_F(StatusAnswer, TheFlashIsAFactAndAProblemOnlyWhenItIsNearlyWorn)
{
    IntakeCounters counters;
    counters.committed = 1'000;
    counters.written_bytes = 31'600;
    counters.written = {.today = 2'048, .yesterday = 1'024, .total = 40'000, .days = 10};
    box.flash = flash_json(counters, 4'000'000);
    auto said = answer();
    EXPECT_TRUE(said.at("ok").as_bool()) << said.at("missing");
    const auto facts = json::serialize(said.at("facts"));
    EXPECT_NE(facts.find("2.0 KiB written today, 1.0 KiB the day before, 32 B a reading; at this "
                         "rate its rating lasts 990 days"),
              std::string::npos)
        << facts;
    box.flash = flash_json(counters, 80'000);
    EXPECT_TRUE(begins(only_problem(), "the flash has taken nearly what it is rated for"));
    box.flash = flash_json(counters, 0);
    EXPECT_TRUE(answer().at("flash").at("days_left").is_null());
}

TEST_F(StatusAnswer, WhatIsSwitchedOffOrInMaintenanceIsNoProblem)
{
    device().answering = false;
    device().enabled = false;
    EXPECT_TRUE(answer().at("ok").as_bool());
    device().enabled = true;
    device().maintenance_until = box.now + 1min;
    EXPECT_TRUE(answer().at("ok").as_bool());
}

TEST_F(StatusAnswer, AdviceOnWhatWorksAndShouldBeBetter)
{
    Profile open;
    open.cleartext = true;
    config.profile = std::make_shared<Profile>(open);
    site.uplink.host = "127.0.0.1";
    site.uplink.tls = false;
    site.uplink.release = Release::puback;
    EXPECT_TRUE(advises("not encrypted"));
    EXPECT_TRUE(advises("puback"));
    EXPECT_TRUE(advises("not protected: meter"));
}

TEST_F(StatusAnswer, AdviceOnWhoMayReadSecretsAndChangeTheSiteFile)
{
    const TemporaryDirectory folder;
    site.file = folder.path() + "/gateway.toml";
    site.uplink.password_secret = "broker";
    const auto secret = folder.path() + "/secrets/broker";
    ASSERT_TRUE(replace_file(site.file, "", 0644));
    ASSERT_TRUE(replace_file(secret, "x", 0600));
    EXPECT_FALSE(advises("chmod"));
    std::filesystem::permissions(secret, std::filesystem::perms(0640));
    std::filesystem::permissions(site.file, std::filesystem::perms(0666));
    EXPECT_TRUE(advises("chmod 600 " + secret));
    EXPECT_TRUE(advises("chmod o-w " + site.file));
}

TEST_F(StatusAnswer, AdviceOnTheClockOnPublicAddressesAndOnExceptionsThatEnded)
{
    const auto place = [this](const char* target) {
        site.devices.assign(1, {.id = "meter"});
        site.devices.front().connect["tcp"] = Setting{.value = std::string(target), .place = {}};
        return advises("public address");
    };
    EXPECT_TRUE(place("8.8.4.4:502"));
    for (const auto* near :
         {"10.1.2.3:502", "172.31.0.1:502", "192.168.4.4:502", "127.0.0.1:502", "a.example:502"}) {
        EXPECT_FALSE(place(near)) << near;
    }
    site.devices.front().exception_until = "2020-01-31";
    EXPECT_TRUE(advises("ended on 2020-01-31"));
    site.devices.front().exception_until = "2999-01-31";
    EXPECT_FALSE(advises("ended on"));
    EXPECT_FALSE(advises("clock"));
    box.clock.state = ClockState::holdover;
    EXPECT_TRUE(advises("No time server"));
    box.clock = {.state = ClockState::synced, .error_ms = 5'000};
    EXPECT_TRUE(advises("wrong by 5000 ms"));
}

}  // namespace

}  // namespace gateway::status_test
