#include "tests/unit/receiver/reception_fixture.hpp"

#include "gateway/store/store_error.hpp"

#include <filesystem>

namespace gateway::reception_test {
namespace {

using namespace test;
using std::chrono::milliseconds;

const EpochId next_epoch = *Id128::from_hex("11112222333344445555666677778888");

std::string with(const std::string& text, const std::string& from, const std::string& to)
{
    auto changed = text;
    changed.replace(changed.find(from), from.size(), to);
    return changed;
}

TEST_F(ReceptionTest, WritesWhatIsNewOnceAndReceiptsIt)
{
    const auto receipts = take({dictionary(), batch(readings(1, 3)), batch(readings(4, 2))});
    EXPECT_EQ(sequences(), counting(1, 5));
    ASSERT_EQ(receipts.size(), 1U);
    EXPECT_EQ(receipts[0].topic, "ss1/" + org + "/receipt/" + box);
    EXPECT_EQ(receipts[0].payload,
              R"({"schema":"smartstate.receipt/1","receiver":"receiver-1","box":")" + box +
                  R"(","hello":false,"epochs":{")" + epoch.hex() +
                  R"(":{"telemetry":[[1,5]]}},"need":[]})");
}

TEST_F(ReceptionTest, RemovesDuplicatesAlsoWhereBatchesOverlapInPart)
{
    take({dictionary(), batch(readings(3, 4, 3)), batch(readings(3, 4, 3))});
    EXPECT_EQ(sequences(), counting(3, 6));
    const auto all = encode(header(1), ramp(10, 1));
    take({batch(all), batch(all)});
    auto got = sequences();
    std::sort(got.begin(), got.end());
    EXPECT_EQ(got, counting(1, 10));
    EXPECT_EQ(reception->tally().duplicates, 4U + 4U + 10U);
}

TEST_F(ReceptionTest, TellsABoxAtMostOnceASecond)
{
    EXPECT_EQ(take({dictionary(), batch(readings(1, 1))}).size(), 1U);
    EXPECT_TRUE(reception->take({batch(readings(2, 1))}, now + milliseconds(400)).empty());
    EXPECT_TRUE(reception->is_waiting());
    const auto later = reception->take({}, now + milliseconds(1'000));
    ASSERT_EQ(later.size(), 1U);
    EXPECT_NE(later[0].payload.find("[[1,2]]"), std::string::npos);
    EXPECT_FALSE(reception->is_waiting());
}

TEST_F(ReceptionTest, HoldsABatchBackUntilItsDictionaryIsHere)
{
    const auto asked = take({batch(readings(1, 2))});
    ASSERT_EQ(asked.size(), 1U);
    EXPECT_NE(asked[0].payload.find(R"("epochs":{},"need":[")" +
                                    hash_hex(dictionary_hash(dictionary_text())) + "\"]"),
              std::string::npos)
        << asked[0].payload;
    EXPECT_TRUE(sequences().empty());
    const auto receipts = take({dictionary(false)});
    EXPECT_EQ(sequences(), counting(1, 2));
    EXPECT_NE(receipts.at(0).payload.find(R"("telemetry":[[1,2]]}},"need":[])"), std::string::npos);
}

TEST_F(ReceptionTest, DropsWhatItHasNoRoomToHoldSoThatItStaysAHole)
{
    restart({.most_held_bytes = 1'500});
    take({batch(readings(1, 10)), batch(readings(11, 10)), batch(readings(21, 10))});
    EXPECT_GT(reception->tally().dropped, 0U);
    const auto receipts = take({dictionary()});
    const auto got = sequences();
    EXPECT_LT(got.size(), 30U);
    EXPECT_FALSE(got.empty());
    EXPECT_NE(receipts.at(0).payload.find("[[1," + std::to_string(got.size()) + "]]"),
              std::string::npos);
}

TEST_F(ReceptionTest, AnswersABirthInFullAndGreetsOncePerConnection)
{
    take({dictionary(), batch(readings(1, 5))});
    const auto first = take({birth({{epoch, {1, 5}}}, epoch)});
    ASSERT_EQ(first.size(), 1U);
    EXPECT_NE(first[0].payload.find(R"("hello":true,"epochs":{")" + epoch.hex() +
                                    R"(":{"telemetry":[[1,5]]}})"),
              std::string::npos)
        << first[0].payload;
    const auto second = take({birth({{epoch, {1, 5}}}, epoch)});
    EXPECT_NE(second.at(0).payload.find(R"("hello":false,"epochs":{")" + epoch.hex()),
              std::string::npos);
    reception->connected();
    EXPECT_NE(take({birth({{epoch, {1, 5}}}, epoch)}).at(0).payload.find(R"("hello":true)"),
              std::string::npos);
}

TEST_F(ReceptionTest, LeavesABoxAloneThatHeedsAnotherReceiver)
{
    EXPECT_TRUE(take({dictionary(), birth({{epoch, {1, 0}}}, epoch, true, "receiver-2")}).empty());
    EXPECT_TRUE(take({batch(readings(1, 5))}).empty());
    EXPECT_EQ(sequences(), counting(1, 5));
}

TEST_F(ReceptionTest, SendsNoReceiptsWhenTheyAreOff)
{
    restart({.receipts = false});
    EXPECT_TRUE(take({dictionary(), batch(readings(1, 5))}).empty());
    EXPECT_FALSE(reception->is_waiting());
    EXPECT_EQ(sequences(), counting(1, 5));
}

TEST_F(ReceptionTest, CountsAConflictWhenTheSameKeyBringsOtherContent)
{
    take({dictionary(), batch(readings(1, 5)), batch(readings(1, 5))});
    EXPECT_EQ(reception->tally().conflicts, 0U);
    take({batch(readings(1, 5, 77))});
    EXPECT_EQ(reception->tally().conflicts, 1U);
    EXPECT_EQ(sequences(), counting(1, 5)) << "what came first stays";
}

TEST_F(ReceptionTest, DatesReadingsFromBeforeTheClockWasSet)
{
    const auto unset = encode(header(1, Lane::telemetry, ClockState::unset), ramp(2));
    take({dictionary(), batch(unset)});
    EXPECT_TRUE(lines("correction").empty());
    take({batch(readings(3, 1)), batch(readings(4, 1))});
    const auto corrections = lines("correction");
    ASSERT_EQ(corrections.size(), 1U);
    EXPECT_EQ(corrections[0].at("wall_minus_boot_ms"), 1'785'578'399'000);
    take({batch(encode(header(5, Lane::telemetry, ClockState::unset), ramp(1)))});
    const auto got = lines();
    EXPECT_TRUE(got[0].at("time").is_null());
    EXPECT_FALSE(got[2].at("time").is_null());
    EXPECT_EQ(got[4].at("time"), "2026-08-01T10:00:00.000Z") << "known by now";
    EXPECT_EQ(lines("correction").size(), 1U);
}

TEST_F(ReceptionTest, WritesATombstoneAsOneGapAndReceiptsIt)
{
    const auto receipts =
        take({batch(tombstone(1, 40)), batch(tombstone(1, 40)), batch(tombstone(1, 40))});
    const auto gaps = lines("gap");
    ASSERT_EQ(gaps.size(), 1U);
    EXPECT_EQ(gaps[0].at("last"), 40);
    EXPECT_EQ(gaps[0].at("reason"), "evicted");
    EXPECT_EQ(gaps[0].at("first_time"), "2026-08-01T10:00:00.000Z");
    EXPECT_NE(receipts.at(0).payload.find("[[1,40]]"), std::string::npos);
}

TEST_F(ReceptionTest, DataWinsOverATombstoneInEitherOrder)
{
    take({dictionary(), batch(readings(1, 5)), batch(tombstone(1, 10))});
    auto gaps = lines("gap");
    ASSERT_EQ(gaps.size(), 1U);
    EXPECT_EQ(gaps[0].at("first"), 6) << "what is here is not lost";
    take({batch(readings(6, 5))});
    EXPECT_EQ(sequences(), counting(1, 10));
    EXPECT_TRUE(reception->report().at(0).gaps.empty()) << "it came after all";
}

TEST_F(ReceptionTest, ClosesAnEpochWhoseStoreIsGone)
{
    take({dictionary(), birth({{epoch, {1, 9}}}, epoch), batch(readings(1, 3)),
          batch(readings(6, 2))});
    take({birth({{next_epoch, {1, 0}}}, next_epoch)});
    const auto gaps = lines("gap");
    ASSERT_EQ(gaps.size(), 3U);
    EXPECT_EQ(gaps[0].at("first"), 4);
    EXPECT_EQ(gaps[0].at("last"), 5);
    EXPECT_EQ(gaps[0].at("reason"), "store_lost");
    EXPECT_EQ(gaps[1].at("first"), 8);
    EXPECT_EQ(gaps[1].at("last"), 9) << "the highest head that was ever seen";
    EXPECT_EQ(gaps[2].at("first"), 10);
    EXPECT_TRUE(gaps[2].at("last").is_null()) << "and nobody knows how much after it";
    take({birth({{next_epoch, {1, 0}}}, next_epoch)});
    EXPECT_EQ(lines("gap").size(), 3U);
}

TEST_F(ReceptionTest, PassesOverAnOldBirthThatABrokerStillHad)
{
    take({birth({{epoch, {1, 0}}}, epoch)});
    take({birth({{epoch, {1, 0}}, {next_epoch, {1, 7}}}, next_epoch)});
    take({birth({{epoch, {1, 0}}}, epoch)});
    EXPECT_TRUE(lines("gap").empty()) << "the epoch that runs was taken for lost";
}

TEST_F(ReceptionTest, AnEpochThatABoxClosedIsNotLost)
{
    take({birth({{epoch, {1, 0}}}, epoch)});
    take({birth({{epoch, {1, 0}}, {next_epoch, {1, 0}}}, next_epoch)});
    take({birth({{next_epoch, {1, 0}}}, next_epoch)});
    EXPECT_TRUE(lines("gap").empty());
    EXPECT_TRUE(reception->report().empty());
}

TEST_F(ReceptionTest, RefusesWhatIsForgedBrokenOrOversizedAndChangesNothing)
{
    take({dictionary(), birth({{epoch, {1, 5}}}, epoch), batch(readings(1, 5))});
    const auto before = bytes();
    const auto good = readings(6, 5);
    const auto birth_text = birth({{epoch, {1, 5}}}, epoch).payload;
    const std::string birth_json(birth_text.begin(), birth_text.end());
    std::vector<mqtt::Message> bad{
        {"ss1/" + org + "/data/other-box", good, false},
        {"ss1/another-org/data/" + box, good, false},
        {"ss1/" + org + "/data/" + box + "/more", good, false},
        {"nonsense", good, false},
        batch({}),
        batch(Bytes(2'000'000, 0xFF)),
        batch(encode(header(1ULL << 62), ramp(5))),
        message("birth/" + box, with(birth_json, box, "other-box")),
        message("birth/" + box, with(birth_json, R"("first_held":1)", R"("first_held":9)")),
        message("birth/" + box, with(birth_json, R"("head":5)", R"("head":-5)")),
        message("birth/" + box, with(birth_json, R"("head":5)", R"("head":1e300)")),
        message("birth/" + box, std::string(100'000, '[')),
        message("manifest/" + box, "{}"),
        message("state/" + box, R"({"schema":"smartstate.state/1"})"),
        message("dict/" + box + "/0123456789abcdef", dictionary_text()),
    };
    for (std::size_t at = 0; at < good.size(); at += 3) {
        auto flipped = good;
        flipped[at] ^= 0x10;
        bad.push_back(batch(flipped));
        bad.push_back(batch(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(at))));
    }
    EXPECT_TRUE(take(bad).empty());
    EXPECT_EQ(reception->tally().refused, bad.size());
    EXPECT_EQ(bytes(), before);
    const auto receipts = take({batch(readings(6, 5))});
    EXPECT_NE(receipts.at(0).payload.find("[[1,10]]"), std::string::npos);
}

TEST_F(ReceptionTest, ARosterSaysWhichBoxBelongsToWhichOrg)
{
    restart({.roster = Roster{{box, "county-17031"}}});
    take({dictionary(), batch(readings(1, 5))});
    EXPECT_EQ(reception->tally().refused, 2U);
    restart({.roster = Roster{{box, org}}});
    take({dictionary(), batch(readings(1, 5))});
    EXPECT_EQ(sequences(), counting(1, 5));
}

TEST_F(ReceptionTest, W09_LinesThatNoCommitCoversAreCutOff)
{
    take({dictionary(), batch(readings(1, 5))});
    const auto committed = bytes();
    reception.reset();
    std::ofstream(file(), std::ios::app) << lines().size() << R"({"line":"reading","seq":6)";
    restart();
    EXPECT_EQ(bytes(), committed);
    take({batch(readings(6, 5))});
    EXPECT_EQ(sequences(), counting(1, 10));
}

TEST_F(ReceptionTest, W09_AFileThatIsNotTheStatesIsNotCut)
{
    take({dictionary(), batch(readings(1, 5))});
    reception.reset();
    std::ofstream(file(), std::ios::trunc) << std::string(100'000, 'x');
    EXPECT_THROW(restart(), std::runtime_error);
    EXPECT_EQ(std::filesystem::file_size(file()), 100'000U);
}

TEST_F(ReceptionTest, W10_AfterARestartABirthIsAnsweredFromTheState)
{
    take({dictionary(), batch(readings(1, 5))});
    restart();
    const auto receipts = take({birth({{epoch, {1, 5}}}, epoch)});
    EXPECT_NE(receipts.at(0).payload.find(R"("hello":true,"epochs":{")" + epoch.hex() +
                                          R"(":{"telemetry":[[1,5]]}})"),
              std::string::npos);
    take({batch(readings(1, 5)), batch(readings(6, 1))});
    EXPECT_EQ(sequences(), counting(1, 6)) << "the dictionary is kept too";
}

TEST_F(ReceptionTest, W11_AnEmptyStateBeginsWhereTheBoxStillHoldsSomething)
{
    const auto receipts = take({dictionary(), birth({{epoch, {101, 110}}}, epoch, false)});
    EXPECT_NE(receipts.at(0).payload.find("[[1,100]]"), std::string::npos);
    take({batch(readings(101, 10)), manifest(110, 110, 12345)});
    EXPECT_EQ(verdict().completeness, Completeness::counted);
    EXPECT_EQ(exit_code(reception->report()), 0);
    EXPECT_TRUE(lines("gap").empty());
}

TEST_F(ReceptionTest, N16_WhatABrokerDroppedAtTheEndOfALaneIsAskedForAgain)
{
    const auto commands = [](const std::vector<Outgoing>& heard) {
        return std::ranges::count_if(heard, [](const Outgoing& message) {
            return message.payload.find(R"("command":"replay")") != std::string::npos;
        });
    };
    take({dictionary(), birth({{epoch, {1, 10}}}, epoch, false), batch(readings(1, 10))});
    EXPECT_EQ(commands(take({manifest(15, 15, 1)})), 0) << "it may be on its way";
    EXPECT_EQ(commands(take({manifest(15, 15, 1)})), 0) << "it was told only a moment ago";
    const auto asked = take({manifest(15, 15, 1)});
    ASSERT_EQ(commands(asked), 1);
    EXPECT_NE(asked[0].payload.find(R"("arguments":{"epoch":")" + epoch.hex() +
                                    R"(","lane":"telemetry","ranges":[[11,15]]}})"),
              std::string::npos)
        << asked[0].payload;
    take({batch(readings(11, 4))});
    EXPECT_EQ(commands(take({manifest(15, 15, 1)})), 0) << "something comes";
    take({batch(readings(15, 1))});
    EXPECT_EQ(commands(take({manifest(15, 15, 1)})), 0);
    EXPECT_EQ(commands(take({manifest(15, 15, 1)})), 0);
}

TEST_F(ReceptionTest, W11_AnEmptyStateAsksForABirthOfNow)
{
    const auto asked = take({birth({{epoch, {1, 0}}}, epoch)});
    ASSERT_EQ(asked.size(), 2U);
    EXPECT_EQ(asked[0].topic, "ss1/" + org + "/cmd/" + box);
    EXPECT_NE(asked[0].payload.find(R"("command":"rebirth")"), std::string::npos);
    take({dictionary(), batch(readings(101, 10)), birth({{epoch, {101, 110}}}, epoch, false)});
    EXPECT_TRUE(verdict().missing.empty()) << "1 to 100 are before this receiver's time";
    EXPECT_EQ(take({birth({{epoch, {101, 110}}}, epoch)}).size(), 1U) << "asked once";
}

TEST_F(ReceptionTest, W11_AStateFromABackupSaysWhatItLacks)
{
    take({dictionary(), birth({{epoch, {1, 5}}}, epoch), batch(readings(1, 5))});
    take({birth({{epoch, {21, 30}}}, epoch), batch(readings(21, 10))});
    const auto report = reception->report();
    ASSERT_EQ(report.at(0).gaps.size(), 1U);
    EXPECT_EQ(report[0].gaps[0].range, (Range{6, 20}));
    EXPECT_EQ(exit_code(report), 1);
}

TEST_F(ReceptionTest, OneProcessAtATimeHasTheState)
{
    EXPECT_THROW(LedgerState(folder.path() / "state"), StoreError);
}

}  // namespace
}  // namespace gateway::reception_test
