#include "tests/unit/receiver/reception_fixture.hpp"

namespace gateway::check_test {
namespace {

using namespace test;

TEST_F(ReceptionTest, AManifestThatAgreesMakesTheCheckComplete)
{
    std::uint64_t sum = 0;
    for (std::uint64_t sequence = 1; sequence <= 10; ++sequence) {
        sum += mix_of(1, sequence);
    }
    take({dictionary(), batch(readings(1, 10)), manifest(10, 10, sum)});
    EXPECT_EQ(verdict().completeness, Completeness::identical);
    take({batch(readings(11, 10))});
    EXPECT_EQ(verdict().completeness, Completeness::counted);
    EXPECT_EQ(verdict().note, "the latest 10 are newer than the latest manifest");
    EXPECT_TRUE(verdict().agrees);
    EXPECT_EQ(exit_code(reception->report()), 0);
}

TEST_F(ReceptionTest, TheCheckFindsAMissingReading)
{
    take({dictionary(), batch(readings(1, 4)), batch(readings(6, 5)), manifest(10, 10, 1)});
    const auto found = verdict();
    EXPECT_EQ(found.completeness, Completeness::missing);
    EXPECT_EQ(found.missing, (std::vector<Range>{{5, 5}}));
    EXPECT_NE(table(reception->report()).find("      5  missing: neither delivered nor declared"),
              std::string::npos)
        << table(reception->report());
    EXPECT_EQ(exit_code(reception->report()), 1);
}

TEST_F(ReceptionTest, WhatTheStorageOfTheBoxForgotIsCompleteByCount)
{
    take({dictionary(), batch(readings(1, 10)), manifest(10, 7, 1, 1)});
    EXPECT_EQ(verdict().completeness, Completeness::counted);
    EXPECT_EQ(verdict().note, "the box's storage lost what it knew of 2 of them");
    EXPECT_EQ(exit_code(reception->report()), 0);
}

TEST_F(ReceptionTest, TheCheckFindsAnAlteredReading)
{
    std::uint64_t sum = 0;
    for (std::uint64_t sequence = 1; sequence <= 10; ++sequence) {
        sum += mix_of(1, sequence);
    }
    take({dictionary(), batch(readings(1, 10, 2)), manifest(10, 10, sum)});
    EXPECT_EQ(verdict().completeness, Completeness::differs);
    EXPECT_EQ(reception->tally().differing, 1U);
    EXPECT_EQ(exit_code(reception->report()), 1);
}

TEST_F(ReceptionTest, WithoutAManifestTheCheckCannotTell)
{
    take({dictionary(), batch(readings(1, 10))});
    EXPECT_EQ(verdict().completeness, Completeness::unknown);
    EXPECT_EQ(exit_code(reception->report()), 2);
    EXPECT_EQ(to_json(reception->report()).find(R"({"result":"could not tell")"), 0U);
}

}  // namespace
}  // namespace gateway::check_test
