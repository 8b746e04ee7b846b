#include "gateway/core/json.hpp"
#include "gateway/uplink/backoff.hpp"
#include "gateway/uplink/birth.hpp"
#include "gateway/uplink/manifest.hpp"
#include "gateway/uplink/receipt.hpp"
#include "gateway/uplink/sent_log.hpp"
#include "gateway/uplink/topics.hpp"
#include "gateway/uplink/utc.hpp"
#include "gateway/uplink/window.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>

namespace gateway {
namespace {

using namespace std::chrono_literals;

const std::string epoch_hex = "00112233445566778899aabbccddeeff";

std::string receipt_text(const std::string& ranges)
{
    return R"({"schema":"smartstate.receipt/1","receiver":"receiver-1","box":"b","hello":true,)"
           R"("epochs":{")" +
           epoch_hex + R"(":{"telemetry":)" + ranges +
           R"(,"later":[[1,2]]}},"need":["0123456789abcdef"]})";
}

TEST(Topics, AreThoseOfTheProtocol)
{
    const Topics topics("place-1714000", "place-1714000.box-0001");
    EXPECT_EQ(topics.state, "ss1/place-1714000/state/place-1714000.box-0001");
    EXPECT_EQ(topics.command, "ss1/place-1714000/cmd/place-1714000.box-0001");
    EXPECT_EQ(topics.answer, "ss1/place-1714000/ack/place-1714000.box-0001");
    EXPECT_EQ(topics.dictionary(0xAB),
              "ss1/place-1714000/dict/place-1714000.box-0001/00000000000000ab");
    EXPECT_EQ(topics.live(Lane::alarm), topics.alarm);
    EXPECT_EQ(topics.live(Lane::control), topics.control);
    EXPECT_EQ(topics.live(Lane::billing), topics.data);
}

TEST(Receipt, IsParsed)
{
    const auto receipt = parse_receipt(receipt_text("[[1,96000],[96011,96020]]"));
    ASSERT_TRUE(receipt.has_value());
    EXPECT_EQ(receipt->receiver, "receiver-1");
    EXPECT_EQ(receipt->box, "b");
    EXPECT_TRUE(receipt->hello);
    ASSERT_EQ(receipt->epochs.size(), 1U);
    const auto& lanes = receipt->epochs.at(*EpochId::from_hex(epoch_hex));
    EXPECT_EQ(lanes[index_of(Lane::telemetry)],
              (std::vector<Range>{{1, 96'000}, {96'011, 96'020}}));
    EXPECT_TRUE(lanes[index_of(Lane::alarm)].empty());
    EXPECT_EQ(receipt->need, (std::vector<DictionaryHash>{0x0123456789abcdef}));
}

TEST(Receipt, WithRangesThatBreakARuleIsRefused)
{
    for (const std::string ranges :
         {"[[0,4]]", "[[5,4]]", "[[1,4],[4,9]]", "[[5,9],[1,2]]", "[[1]]", "[[1,2,3]]", "[1,2]",
          "[[-1,4]]", "[[1.5,4]]", "[[1,\"4\"]]", "{}", "null", "[[1,99999999999999999999]]"}) {
        EXPECT_FALSE(parse_receipt(receipt_text(ranges)).has_value()) << ranges;
    }
    std::string many = "[";
    for (int at = 0; at < 65; ++at) {
        many +=
            (at ? ",[" : "[") + std::to_string(at * 3 + 1) + "," + std::to_string(at * 3 + 2) + "]";
    }
    EXPECT_FALSE(parse_receipt(receipt_text(many + "]")).has_value());
}

TEST(Receipt, EveryPrefixIsRefused)
{
    const auto whole = receipt_text("[[1,4]]");
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_FALSE(parse_receipt(std::string_view(whole).substr(0, size)).has_value()) << size;
    }
    EXPECT_EQ(parse_receipt(std::string(most_receipt_bytes + 1, ' ')).error(),
              make_error_code(Fault::too_large));
}

class ALog : public testing::Test {
protected:
    static RangeSet set(std::initializer_list<Range> ranges)
    {
        RangeSet all;
        for (const auto& range : ranges) {
            all.add(range);
        }
        return all;
    }
    void send(Range range) { log.add(key, range, 100, false); }

    const LaneKey key{*EpochId::from_hex(epoch_hex), Lane::telemetry};
    const LaneKey other{*EpochId::from_hex(epoch_hex), Lane::billing};
    SentLog log;
};

TEST_F(ALog, ReceiptedBatchesAreDoneWith)
{
    send({1, 10});
    send({11, 20});
    EXPECT_FALSE(log.receipted(key, set({{1, 20}})));
    EXPECT_EQ(log.unreceipted_batches(), 0U);
    EXPECT_EQ(log.unreceipted_bytes(), 0U);
    EXPECT_TRUE(log.contains(key, {1, 20}, false));
}

TEST_F(ALog, ABatchThatIsLateIsNoHole)
{
    send({1, 10});
    send({11, 20});
    EXPECT_FALSE(log.receipted(key, set({{1, 10}})));
    EXPECT_TRUE(log.contains(key, {11, 20}, false));
    EXPECT_EQ(log.unreceipted_batches(), 1U);
}

TEST_F(ALog, AHoleBelowALaterSentBatchIsWithdrawnOncePerLaterReceipt)
{
    send({1, 10});
    send({11, 20});
    send({21, 30});
    EXPECT_TRUE(log.receipted(key, set({{1, 10}, {21, 30}})));
    EXPECT_FALSE(log.contains(key, {11, 20}, false));
    send({11, 20});
    // The same receipt again says nothing about what was sent after it.
    EXPECT_FALSE(log.receipted(key, set({{1, 10}, {21, 30}})));
    EXPECT_TRUE(log.contains(key, {11, 20}, false));
    send({31, 40});
    EXPECT_TRUE(log.receipted(key, set({{1, 10}, {21, 40}})));
}

TEST_F(ALog, HistorySentAfterLiveIsNoHoleThoughItsSequenceIsLower)
{
    send({101, 110});
    send({1, 10});
    EXPECT_FALSE(log.receipted(key, set({{101, 110}})));
    EXPECT_TRUE(log.contains(key, {1, 10}, false));
}

TEST_F(ALog, ATombstoneIsNotTheReadingsThatItStandsFor)
{
    send({1, 10});
    send({11, 20});
    EXPECT_FALSE(log.contains(key, {1, 10}, true));
    log.add(key, {1, 10}, 50, true);
    EXPECT_TRUE(log.contains(key, {1, 10}, true));
    // The platform may have had the readings before: that 11 to 20 is not in yet is no hole.
    EXPECT_FALSE(log.receipted(key, set({{1, 10}})));
    EXPECT_TRUE(log.contains(key, {11, 20}, false));
    log.withdraw(key, {1, 10});
    EXPECT_FALSE(log.contains(key, {1, 10}, true));
}

TEST_F(ALog, OtherLanesSayNothing)
{
    send({1, 10});
    log.add(other, {1, 5}, 10, false);
    EXPECT_FALSE(log.receipted(other, set({{1, 5}})));
    EXPECT_TRUE(log.contains(key, {1, 10}, false));
}

TEST_F(ALog, WithdrawingPartOfABatchWithdrawsAllOfIt)
{
    send({1, 10});
    send({11, 20});
    log.withdraw(key, {15, 15});
    EXPECT_TRUE(log.contains(key, {1, 10}, false));
    EXPECT_FALSE(log.contains(key, {11, 14}, false));
    EXPECT_EQ(log.unreceipted_batches(), 1U);
}

TEST_F(ALog, AHelloWithdrawsWhatNoReceiptCovers)
{
    send({1, 10});
    send({11, 20});
    log.receipted(key, set({{1, 10}}));
    log.withdraw_all();
    EXPECT_TRUE(log.contains(key, {1, 10}, false));
    EXPECT_FALSE(log.contains(key, {11, 20}, false));
    EXPECT_EQ(log.unreceipted_bytes(), 0U);
}

TEST(Window, KeepsTwoPlacesForAlarmAndControl)
{
    Window window({.messages = 5});
    const Instant now{};
    for (int at = 0; at < 3; ++at) {
        EXPECT_TRUE(window.admits(Urgency::live, 10, now));
        window.sent(Urgency::live, 10, now);
    }
    EXPECT_FALSE(window.admits(Urgency::live, 10, now));
    EXPECT_FALSE(window.admits(Urgency::history, 10, now));
    EXPECT_TRUE(window.admits(Urgency::urgent, 10, now));
    window.sent(Urgency::urgent, 10, now);
    window.sent(Urgency::urgent, 10, now);
    EXPECT_FALSE(window.admits(Urgency::urgent, 10, now));
}

TEST(Window, AlwaysLetsOneThroughHoweverSmall)
{
    const Window window({.messages = 1});
    EXPECT_TRUE(window.admits(Urgency::live, 10, {}));
    EXPECT_TRUE(window.admits(Urgency::history, 1'000'000, {}));
}

TEST(Window, HistoryInFlightIsWhatTheLinkAcknowledgesInASecond)
{
    Window window({.messages = 20});
    Instant now{};
    // 1,000 bytes a second: after some of it no more than that is in flight.
    for (int at = 0; at < 20; ++at) {
        window.sent(Urgency::history, 500, now);
        now += 500ms;
        window.acknowledged(Urgency::history, 500, now);
    }
    window.sent(Urgency::history, 500, now);
    EXPECT_TRUE(window.admits(Urgency::history, 500, now));
    window.sent(Urgency::history, 500, now);
    EXPECT_FALSE(window.admits(Urgency::history, 500, now));
    EXPECT_TRUE(window.admits(Urgency::live, 500, now));
}

TEST(Window, ALineThatIsNotMeasuredYetGetsLittleHistory)
{
    Window window({.messages = 20});
    window.sent(Urgency::history, 2'000, {});
    EXPECT_TRUE(window.admits(Urgency::history, 2'000, {}));
    window.sent(Urgency::history, 2'000, {});
    EXPECT_FALSE(window.admits(Urgency::history, 2'000, {})) << "3 s of 9.6 kbit/s are enough";
}

TEST(Window, AFastLinkIsFilled)
{
    Window window({.messages = 20});
    Instant now{};
    for (int at = 0; at < 20; ++at) {
        window.sent(Urgency::history, 30'000, now);
        now += 2ms;
        window.acknowledged(Urgency::history, 30'000, now);
    }
    for (int at = 0; at < 18; ++at) {
        EXPECT_TRUE(window.admits(Urgency::history, 30'000, now)) << at;
        window.sent(Urgency::history, 30'000, now);
    }
}

TEST(Window, ACapSpacesHistory)
{
    Window window({.messages = 20, .history_bytes_per_second = 1'000});
    Instant now{};
    window.sent(Urgency::history, 500, now);
    window.acknowledged(Urgency::history, 500, now + 1ms);
    EXPECT_FALSE(window.admits(Urgency::history, 500, now + 499ms));
    EXPECT_TRUE(window.admits(Urgency::history, 500, now + 500ms));
    EXPECT_EQ(window.history_opens(), now + 500ms);
}

TEST(Window, IsHalvedDownToOne)
{
    Window window({.messages = 20});
    for (int at = 0; at < 10; ++at) {
        window.halve();
    }
    EXPECT_TRUE(window.admits(Urgency::urgent, 1, {}));
    window.sent(Urgency::urgent, 1, {});
    EXPECT_FALSE(window.admits(Urgency::urgent, 1, {}));
}

TEST(Unreceipted, IsBoundedAndTheLastTenthIsForAlarms)
{
    EXPECT_TRUE(may_stay_unreceipted(Urgency::history, 899, 0));
    EXPECT_FALSE(may_stay_unreceipted(Urgency::history, 900, 0));
    EXPECT_FALSE(may_stay_unreceipted(Urgency::live, 0, 7'200'000));
    EXPECT_TRUE(may_stay_unreceipted(Urgency::urgent, 999, 7'999'999));
    EXPECT_FALSE(may_stay_unreceipted(Urgency::urgent, 1'000, 0));
    EXPECT_FALSE(may_stay_unreceipted(Urgency::urgent, 0, 8'000'000));
}

TEST(Backoff, SpansGrowAndAStableSessionStartsAfresh)
{
    Backoff backoff({.first = 1s, .most = 300s, .stable = 60s});
    Duration span = 1s;
    for (int at = 0; at < 20; ++at) {
        EXPECT_LE(backoff.next(), span);
        span = std::min<Duration>(span * 2, 300s);
        backoff.connected_for(59s);
    }
    EXPECT_GE(backoff.longest(), 150s);
    backoff.connected_for(60s);
    EXPECT_LE(backoff.next(), 1s);
}

TEST(Backoff, S50_AFleetThatLostItsBrokerForAMinuteComesBackSpread)
{
    std::map<std::int64_t, int> by_second;
    for (int box = 0; box < 500; ++box) {
        Backoff backoff({});
        Duration time{};
        while (time < 60s) {
            time += backoff.next();
        }
        ++by_second[std::chrono::floor<std::chrono::seconds>(time).count()];
    }
    for (const auto& [second, boxes] : by_second) {
        EXPECT_LE(boxes, 50) << second << " s after the broker went";
    }
}

TEST(Utc, TextAndBack)
{
    const WallTime time{std::chrono::milliseconds(1'785'578'400'000)};
    EXPECT_EQ(utc_text(time), "2026-08-01T10:00:00Z");
    EXPECT_EQ(utc_from("2026-08-01T10:00:00Z"), time);
    EXPECT_EQ(utc_from("2026-08-01T10:00:00.123Z"), time);
    for (const std::string text :
         {"", "2026-08-01", "2026-13-01T10:00:00Z", "2026-02-30T10:00:00Z", "2026-08-01T25:00:00Z",
          "2026-08-01T10:00:00+02:00", "2026-08-01T10:00:00.Z", "2026-08-01T1a:00:00Z"}) {
        EXPECT_FALSE(utc_from(text).has_value()) << text;
    }
}

EpochState some_epoch()
{
    EpochState epoch;
    epoch.number = 3;
    epoch.id = *EpochId::from_hex(epoch_hex);
    epoch.closed = true;
    auto& lane = epoch.lanes[index_of(Lane::telemetry)];
    lane.head = 96'020;
    lane.first_held = 95'901;
    lane.count = 96'020;
    lane.sum = 0xABCDEF;
    lane.queued = 120;
    lane.quality = {{Quality::good, 96'000}, {Quality::comm_error, 20}};
    lane.cause = {{Cause::timeout, 20}};
    lane.slots.expected = 97'000;
    lane.slots.missed = {{Cause::timeout, 100}};
    return epoch;
}

TEST(Birth, HasTheMembersOfTheProtocol)
{
    BirthInput box;
    box.name = "Town hall cabinet";
    box.location = Location{41.88, -87.63};
    box.uptime = 812s;
    box.clock.state = ClockState::synced;
    box.clock.error_ms = 12;
    box.advice = {"clean the lens"};
    BirthDevice device;
    device.index = 3;
    device.id = "town-hall-meter";
    device.dictionary = 0xAB;
    box.devices.push_back(device);
    BirthSession session;
    session.box = "b";
    session.epochs.push_back(some_epoch());
    const auto parsed = parse_json(birth_json(box, session));
    ASSERT_TRUE(parsed.has_value());
    const auto& birth = parsed->as_object();
    for (const char* member : {"schema",
                               "box",
                               "org",
                               "name",
                               "location",
                               "software",
                               "os",
                               "boot",
                               "epoch",
                               "session",
                               "uptime_s",
                               "started",
                               "clock",
                               "release",
                               "receiver",
                               "profiles",
                               "certificate_days_left",
                               "disk",
                               "configuration",
                               "advice",
                               "first_start",
                               "first_receipt",
                               "devices",
                               "epochs"}) {
        EXPECT_TRUE(birth.contains(member)) << member;
    }
    EXPECT_EQ(birth.at("uptime_s").as_int64(), 812);
    EXPECT_EQ(birth.at("clock").at("state").as_string(), "synced");
    EXPECT_TRUE(birth.at("first_receipt").is_null());
    EXPECT_TRUE(birth.at("disk").at("usable").as_bool());
    EXPECT_EQ(birth.at("devices").at(0).at("dictionary").as_string(), "00000000000000ab");
    EXPECT_EQ(birth.at("devices").at(0).at("verdict").at("contract").as_string(), "unsigned");
    const auto& epoch = birth.at("epochs").at(epoch_hex);
    EXPECT_TRUE(epoch.at("closed").as_bool());
    EXPECT_EQ(epoch.at("lanes").as_object().size(), 1U);
    EXPECT_EQ(epoch.at("lanes").at("telemetry").at("first_held").as_int64(), 95'901);
    EXPECT_EQ(epoch.at("lanes").at("telemetry").at("head").as_int64(), 96'020);
}

TEST(Manifest, GivesTheCountersOfEveryEpoch)
{
    const auto parsed = parse_json(manifest_json("b", {some_epoch()}));
    ASSERT_TRUE(parsed.has_value());
    const auto& lane = parsed->at("epochs").at(epoch_hex).at("telemetry");
    EXPECT_EQ(lane.at("head").as_int64(), 96'020);
    EXPECT_EQ(lane.at("sum").as_string(), "0000000000abcdef");
    EXPECT_EQ(lane.at("quality").at("comm_error").as_int64(), 20);
    EXPECT_EQ(lane.at("cause").at("timeout").as_int64(), 20);
    EXPECT_EQ(lane.at("slots").at("missed").at("timeout").as_int64(), 100);
    EXPECT_EQ(lane.at("queued").as_int64(), 120);
}

TEST(Manifest, LeavesOutAnEpochWhoseRowsMayStillComeOver)
{
    auto epoch = some_epoch();
    epoch.salvaged = true;
    const auto parsed = parse_json(manifest_json("b", {epoch}));
    ASSERT_TRUE(parsed.has_value());
    EXPECT_TRUE(parsed->at("epochs").as_object().empty());
}

}  // namespace
}  // namespace gateway
