#include "gateway/tls/generations.hpp"

#include "tests/unit/tls/authority.hpp"

#include <sys/stat.h>

#include <filesystem>

namespace gateway::tls {
namespace {

using namespace std::chrono_literals;

const WallTime now =
    std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());

unsigned mode_of(const std::string& path)
{
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 0777U : 0;
}

class GenerationsTest : public testing::Test {
protected:
    static constexpr const char* box = "place-1.box-1";

    std::string folder() const { return (state.path() / "tls").string(); }
    Generations generations() const { return Generations(folder()); }
    std::string request() const
    {
        auto made = generations().request(box);
        EXPECT_TRUE(made.has_value());
        return made ? *made : std::string();
    }
    /// The first enrolment, all of it.
    void enrolled()
    {
        const auto offered = generations().offer(authority.sign(request()), box, now);
        ASSERT_TRUE(offered.has_value());
        EXPECT_TRUE(generations().accept(*offered).has_value());
    }
    std::string why_not(const std::string& certificate, WallTime at = now)
    {
        const auto offered = generations().offer(certificate, box, at);
        return offered ? "taken" : offered.error().text;
    }

    test::TemporaryFolder state;
    test::Authority authority;
};

TEST_F(GenerationsTest, TheKeyIsMadeHereAndOnlyItsOwnerReadsIt)
{
    EXPECT_FALSE(generations().current().has_value());
    EXPECT_NE(request().find("BEGIN CERTIFICATE REQUEST"), std::string::npos);
    EXPECT_EQ(mode_of(folder() + "/1/key.pem"), 0600U);
    EXPECT_EQ(mode_of(folder()), 0700U);
    EXPECT_EQ(request().find("PRIVATE"), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(folder() + "/2"));  // asked twice, one key
}

TEST_F(GenerationsTest, ACertificateIsACandidateUntilItIsAccepted)
{
    const auto certificate = authority.sign(request());
    const auto offered = generations().offer(certificate, box, now);
    ASSERT_TRUE(offered.has_value()) << offered.error().text;
    EXPECT_FALSE(generations().current().has_value());
    EXPECT_EQ(generations().candidate()->number, 1U);
    ASSERT_TRUE(generations().accept(*offered).has_value());
    EXPECT_EQ(generations().current()->number, 1U);
    EXPECT_FALSE(generations().candidate().has_value());
}

TEST_F(GenerationsTest, S48_ARefusedCertificateLeavesTheOldOneAndTheKeyThatWaits)
{
    enrolled();
    const auto again = request();
    const auto offered = generations().offer(authority.sign(again), box, now);
    ASSERT_TRUE(offered.has_value());
    EXPECT_EQ(offered->number, 2U);
    EXPECT_TRUE(generations().refuse(*offered).has_value());
    EXPECT_EQ(generations().current()->number, 1U);
    EXPECT_FALSE(generations().candidate().has_value());
    EXPECT_EQ(why_not(authority.sign(again)), "taken");  // a better one for the same request
}

TEST_F(GenerationsTest, ARenewalForTheKeyInUseIsANewGenerationToo)
{
    const auto asked = request();
    ASSERT_TRUE(
        generations().accept(*generations().offer(authority.sign(asked), box, now)).has_value());
    const auto renewed = generations().offer(authority.sign(asked), box, now);
    ASSERT_TRUE(renewed.has_value()) << renewed.error().text;
    EXPECT_EQ(renewed->number, 2U);
    EXPECT_EQ(mode_of(renewed->key), 0600U);
    EXPECT_EQ(generations().current()->number, 1U);
}

TEST_F(GenerationsTest, OnlyTheOneBeforeIsKept)
{
    for (int round = 0; round < 3; ++round) {
        enrolled();
    }
    EXPECT_EQ(generations().current()->number, 3U);
    EXPECT_FALSE(std::filesystem::exists(folder() + "/1"));
    EXPECT_TRUE(std::filesystem::exists(folder() + "/2"));
}

TEST_F(GenerationsTest, WhatDoesNotFitIsRefusedWithItsReason)
{
    const auto asked = request();
    EXPECT_NE(why_not("no certificate").find("not a certificate"), std::string::npos);
    EXPECT_NE(why_not(std::string(longest_certificate + 1, 'x')).find("larger"), std::string::npos);
    authority.issue(box);
    EXPECT_NE(why_not(authority.text(std::string(box) + ".crt")).find("another key"),
              std::string::npos);
    authority.issue("place-1.box-2");
    EXPECT_NE(why_not(authority.text("place-1.box-2.crt")).find("is for \"place-1.box-2\""),
              std::string::npos);
    EXPECT_NE(why_not(authority.sign(asked, "begin=-10, days=5")).find("expired"),
              std::string::npos);
    EXPECT_NE(why_not(authority.sign(asked, "kind='server'")).find("clientAuth"),
              std::string::npos);
    EXPECT_FALSE(generations().candidate().has_value());
}

/// What a stop between two steps leaves on the disk.
TEST_F(GenerationsTest, S10_AStopAtAnyStepIsTakenUpWhereItWas)
{
    enrolled();
    std::filesystem::create_directories(folder() + "/2");  // before the key
    EXPECT_FALSE(generations().candidate().has_value());
    std::ofstream(folder() + "/2/key.pem.new") << "half of a k";
    const auto asked = request();
    EXPECT_FALSE(std::filesystem::exists(folder() + "/3"));
    std::ofstream(folder() + "/2/certificate.pem.new") << "half of a c";
    EXPECT_FALSE(generations().candidate().has_value());
    const auto offered = generations().offer(authority.sign(asked), box, now);
    ASSERT_TRUE(offered.has_value());
    EXPECT_EQ(generations().candidate()->number, 2U);  // after a stop it is tried again
    std::ofstream(folder() + "/current.new") << "2";
    EXPECT_EQ(generations().current()->number, 1U);
    ASSERT_TRUE(generations().accept(*generations().candidate()).has_value());
    EXPECT_EQ(generations().current()->number, 2U);
}

TEST_F(GenerationsTest, ADamagedNameOfTheCurrentOneIsNone)
{
    enrolled();
    for (const auto* damage : {"", "x", "0", "-1", "1x", "99999999999999999999"}) {
        std::ofstream(folder() + "/current") << damage;
        EXPECT_FALSE(generations().current().has_value()) << damage;
    }
}

}  // namespace
}  // namespace gateway::tls
