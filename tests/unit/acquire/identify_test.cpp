#include "gateway/acquire/identify.hpp"

#include <gtest/gtest.h>

using namespace gateway;

namespace {

/// The iEM3155 of schemas/profiles: two texts, a serial and a firmware.
Profile meter()
{
    Profile profile;
    profile.firmware = ">=1.3";
    profile.identify = {
        Identify{.matches = "^Schneider Electric$", .required = true},
        Identify{.matches = "^(A9M)?[Ii]?EM3155$", .required = true},
        Identify{.captures = "serial"},
        Identify{.captures = "firmware"},
    };
    return profile;
}

Identity answers(const char* vendor, const char* model, std::uint32_t firmware)
{
    return {Value::of_text(vendor), Value::of_text(model), Value::integer(17330042),
            Value::integer(firmware)};
}

TEST(Identify, AllMatchedIsVerifiedAndCapturesAreKept)
{
    const auto result = identify(meter(), answers("Schneider Electric", "iEM3155", 1301));
    EXPECT_EQ(result.verdict, IdentityVerdict::verified);
    EXPECT_EQ(result.serial, "17330042");
    EXPECT_EQ(result.firmware, "1301");
}

TEST(Identify, ARequiredOneThatFailsOrIsMissingIsAMismatch)
{
    EXPECT_EQ(identify(meter(), answers("Schneider Electric", "iEM3255", 1301)).verdict,
              IdentityVerdict::mismatch);
    EXPECT_EQ(identify(meter(), answers("Schneider Electric", "xiEM3155", 1301)).verdict,
              IdentityVerdict::mismatch)
        << "^ and $ are the ends of the text";
    auto silent = answers("Schneider Electric", "iEM3155", 1301);
    silent[0].reset();
    EXPECT_EQ(identify(meter(), silent).verdict, IdentityVerdict::mismatch);
    EXPECT_EQ(identify(meter(), {}).verdict, IdentityVerdict::mismatch);
}

TEST(Identify, WhatHasNoEndsIsFoundAnywhereInTheText)
{
    Profile profile;
    profile.identify = {Identify{.matches = "PMSX003-A|PMSX003-O", .required = true}};
    EXPECT_EQ(identify(profile, {Value::of_text("2.0+BME280+PMSX003-B+PMSX003-A")}).verdict,
              IdentityVerdict::verified);
    EXPECT_EQ(identify(profile, {Value::of_text("2.0+BME280+PMSX003-B")}).verdict,
              IdentityVerdict::mismatch);
}

TEST(Identify, PaddingOfFixedFieldsIsNotPartOfTheText)
{
    const std::string padded("iEM3155\0\0  \0", 12);
    auto given = answers("Schneider Electric", "", 1301);
    given[1] = Value::of_text(padded);
    EXPECT_EQ(identify(meter(), given).verdict, IdentityVerdict::verified);
}

TEST(Identify, AnOldFirmwareIsOutside)
{
    EXPECT_EQ(identify(meter(), answers("Schneider Electric", "iEM3155", 1201)).verdict,
              IdentityVerdict::firmware_outside);
}

TEST(Identify, NothingThatSpeaksForTheModelIsAClaim)
{
    Profile profile;
    EXPECT_EQ(identify(profile, {}).verdict, IdentityVerdict::claimed);
    profile.identify = {Identify{.captures = "serial"}};
    EXPECT_EQ(identify(profile, {Value::integer(1)}).verdict, IdentityVerdict::claimed);
}

TEST(Identify, ARangeIsJudged)
{
    Profile profile;
    profile.identify = {Identify{.low = Fraction(0), .high = Fraction(100), .required = true}};
    EXPECT_EQ(identify(profile, {Value::integer(4)}).verdict, IdentityVerdict::verified);
    EXPECT_EQ(identify(profile, {Value::integer(101)}).verdict, IdentityVerdict::mismatch);
}

TEST(Firmware, Constraints)
{
    EXPECT_TRUE(firmware_fits("1.10", ">=1.9"));
    EXPECT_FALSE(firmware_fits("1.3", ">1.3.0"));
    EXPECT_TRUE(firmware_fits("1.3.0", "1.3"));
    EXPECT_TRUE(firmware_fits("7.04", ">=6.03"));
    EXPECT_TRUE(firmware_fits("1.5", ">=1.3, <2"));
    EXPECT_FALSE(firmware_fits("2.0", ">=1.3,<2"));
    EXPECT_TRUE(firmware_fits("anything", "*"));
    EXPECT_TRUE(firmware_fits("13", ">=1.3"));
    EXPECT_TRUE(firmware_fits("130", "1.3"));
    EXPECT_FALSE(firmware_fits("12", ">=1.3"));
    EXPECT_TRUE(firmware_fits("1301", ">=1.3"));
    EXPECT_FALSE(firmware_fits("104", ">=1.3")) << "1.04";
    EXPECT_TRUE(firmware_fits("V2.04", ">=2.4"));
    EXPECT_FALSE(firmware_fits("Ver. 1.9", ">=1.10"));
    EXPECT_TRUE(firmware_fits("1.3.0-rc1", "=1.3"));
    EXPECT_FALSE(firmware_fits("unknown", ">=1.3"));
    EXPECT_FALSE(firmware_fits("", "<2")) << "nothing is not a version";
}

}  // namespace
