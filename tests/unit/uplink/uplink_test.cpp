#include "tests/unit/uplink/uplink_fixture.hpp"

#include <algorithm>
#include <fstream>
#include <random>

namespace gateway::test {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

bool ascending(const std::vector<Arrival>& arrivals, const std::string& kind)
{
    PerLane<std::uint64_t> last{};
    for (const auto& arrival : arrivals) {
        auto& before = last[index_of(arrival.lane)];
        if (arrival.kind == kind) {
            if (arrival.range.first <= before) {
                return false;
            }
            before = arrival.range.last;
        }
    }
    return true;
}

TEST_F(UplinkTest, S03_WhatWaitsInTheOutboxGoesOutOnConnectingAloneThenNewDataLive)
{
    use_broker();
    auto body = [this]() -> asio::awaitable<void> {
        co_await commit(Lane::telemetry, 30);
        co_await commit(Lane::alarm, 2, 1);
        start();
        EXPECT_TRUE(co_await delivered());
        EXPECT_EQ(arrived(), 32U);
        EXPECT_TRUE(std::all_of(platform->arrivals().begin(), platform->arrivals().end(),
                                [](const Arrival& arrival) { return arrival.kind == "history"; }));
        EXPECT_EQ(platform->arrivals().front().lane, Lane::alarm);
        co_await commit(Lane::telemetry, 20);
        co_await commit(Lane::alarm, 1, 1);
        co_await commit(Lane::control, 1, 1);
        EXPECT_TRUE(co_await delivered());
        for (std::size_t at = 32; at < arrived(); ++at) {
            const auto& arrival = platform->arrivals()[at];
            EXPECT_EQ(arrival.kind,
                      arrival.lane == Lane::telemetry ? "data" : to_string(arrival.lane));
        }
        EXPECT_TRUE(ascending(platform->arrivals(), "data"));
        EXPECT_TRUE(ascending(platform->arrivals(), "history"));
        EXPECT_EQ(platform->duplicates(), 0U);
        EXPECT_FALSE(platform->contradicted());
        EXPECT_FALSE(platform->dictionary_missed());
        EXPECT_TRUE((co_await remembered("first_receipt")).has_value());
        EXPECT_TRUE(uplink->status().last_receipt.has_value());
        co_await stop();
        EXPECT_TRUE(co_await until(
            [this] { return platform->last("state").find("\"offline\"") != std::string::npos; }));
    };
    run(body());
}

TEST_F(UplinkTest, ADrainWithLiveDataMeanwhileLosesAndReversesNothing)
{
    use_broker();
    auto body = [this]() -> asio::awaitable<void> {
        co_await commit(Lane::telemetry, 150, 500);
        start();
        EXPECT_TRUE(co_await until([this] { return uplink->status().connected; }));
        for (int at = 0; at < 50; ++at) {
            co_await commit(Lane::telemetry, 1);
            co_await commit(Lane::billing, 1);
            co_await until([] { return false; }, 2ms);
        }
        EXPECT_TRUE(co_await delivered());
        EXPECT_TRUE(ascending(platform->arrivals(), "data"));
        EXPECT_TRUE(ascending(platform->arrivals(), "history"));
        EXPECT_EQ(platform->duplicates(), 0U);
        co_await stop();
    };
    run(body());
}

TEST_F(UplinkTest, LiveDataThatCannotGoOutIsLeftToHistory)
{
    use_broker();
    auto body = [this]() -> asio::awaitable<void> {
        start();
        EXPECT_TRUE(co_await until([this] { return uplink->status().connected; }));
        broker->freeze();
        co_await commit(Lane::telemetry, 150);
        EXPECT_LE(uplink->status().live_queue, 64U);
        broker->thaw();
        EXPECT_TRUE(co_await delivered());
        EXPECT_EQ(platform->duplicates(), 0U);
        co_await stop();
    };
    run(body());
}

TEST_F(UplinkTest, S05_ABrokerThatIsKilledAndComesBackGetsEverything)
{
    use_broker();
    auto body = [this]() -> asio::awaitable<void> {
        start();
        EXPECT_TRUE(co_await until([this] { return uplink->status().connected; }));
        for (int round = 0; round < 3; ++round) {
            co_await commit(Lane::telemetry, 20);
            broker->kill();
            co_await commit(Lane::telemetry, 20);
            EXPECT_TRUE(co_await until([this] { return !uplink->status().connected; }));
            EXPECT_NE(uplink->status().problem, "");
            broker->start();
            EXPECT_TRUE(co_await delivered());
        }
        EXPECT_FALSE(platform->contradicted());
        co_await stop();
    };
    run(body());
}

TEST_F(UplinkTest, S06_AsManyFailedTriesAsInSixHoursGiveNothingUp)
{
    constexpr std::size_t tries = 6 * 3600 / 150;  // the longest pause is 300 s, half in the mean
    use_broker();
    auto body = [this]() -> asio::awaitable<void> {
        Proxy proxy(loop, broker->port());
        auto settings = config(proxy.port());
        settings.backoff.first = 1ms;
        settings.backoff.most = 2ms;
        start(settings);
        EXPECT_TRUE(co_await until([this] { return uplink->status().connected; }));
        broker->kill();
        proxy.cut();
        co_await commit(Lane::telemetry, 30);
        EXPECT_TRUE(
            co_await until([&proxy] { return proxy.accepted() > tries; }, std::chrono::minutes(2)));
        EXPECT_EQ((co_await counters(Lane::telemetry)).queued, 300U);
        broker->start();
        EXPECT_TRUE(co_await delivered());
        co_await stop();
    };
    run(body(), std::chrono::minutes(3));  // the library takes a tenth of a second for each
}

TEST_F(UplinkTest, S02_S34_ALinkThatSwallowsIsNoticedByMissingAnswersAndNothingIsLost)
{
    use_broker();
    auto body = [this]() -> asio::awaitable<void> {
        Proxy proxy(loop, broker->port());
        auto settings = config(proxy.port());
        settings.answer_timeout = 500ms;
        start(settings);
        EXPECT_TRUE(co_await until([this] { return uplink->status().connected; }));
        co_await commit(Lane::telemetry, 5);
        EXPECT_TRUE(co_await delivered());
        proxy.swallow(true);
        co_await commit(Lane::telemetry, 30);
        EXPECT_TRUE(co_await until([this] { return !uplink->status().connected; }));
        EXPECT_NE(uplink->status().problem.find("no acknowledgement"), std::string::npos);
        proxy.cut();
        proxy.swallow(false);
        EXPECT_TRUE(co_await delivered());
        co_await stop();
    };
    run(body());
}

TEST_F(UplinkTest, S01_S04_SessionsCutAtAnyPointLeaveNoGap)
{
    use_broker();
    auto body = [this]() -> asio::awaitable<void> {
        Proxy proxy(loop, broker->port());
        start(config(proxy.port()));
        std::mt19937 random(1);
        for (int round = 0; round < 15 || (uplink->status().sessions < 3 && round < 100); ++round) {
            co_await commit(Lane::telemetry, 10, 100);
            co_await commit(Lane::alarm, 1, 1);
            const auto sessions = uplink->status().sessions;
            co_await until([&] { return uplink->status().sessions > sessions; },
                           std::chrono::milliseconds(random() % 150));
            proxy.cut();
        }
        EXPECT_TRUE(co_await delivered());
        EXPECT_FALSE(platform->contradicted());
        EXPECT_GE(uplink->status().sessions, 3U);
        co_await stop();
    };
    run(body());
}

TEST_F(UplinkTest, NothingIsSentAgainOnATimerWhenReceiptsAreLost)
{
    use_broker();
    auto body = [this]() -> asio::awaitable<void> {
        platform->receipts = false;
        start();
        co_await commit(Lane::telemetry, 10);
        EXPECT_TRUE(co_await until([this] { return arrived() == 10; }));
        co_await until([] { return false; }, 700ms);
        EXPECT_EQ(arrived(), 10U);
        platform->send_receipt();
        EXPECT_TRUE(co_await delivered());
        EXPECT_EQ(arrived(), 10U);
        co_await stop();
    };
    run(body());
}

TEST_F(UplinkTest, F4_ReadingsThatAreGivenUpAfterTheyWereSentAreToldToBeLost)
{
    use_broker();
    auto body = [this]() -> asio::awaitable<void> {
        platform->receipts = false;
        start();
        co_await commit(Lane::telemetry, 2);
        EXPECT_TRUE(co_await until([this] { return arrived() == 2; }));
        auto give_up = [this] {
            return outbox->declare_lost(1, Lane::telemetry, 1, LossReason::evicted);
        };
        const auto lost = co_await store.run(give_up);
        uplink->offer({*lost});
        platform->send_receipt();  // for the readings
        EXPECT_TRUE(co_await until([this] { return arrived() == 3; }));
        EXPECT_TRUE(platform->arrivals().back().tombstone);
        EXPECT_TRUE(co_await delivered());
        EXPECT_EQ(arrived(), 3U);
        co_await stop();
    };
    run(body());
}

TEST_F(UplinkTest, W08_ABatchLostBetweenPubackAndCommitIsAHoleAndComesOnceAgain)
{
    use_broker();
    auto body = [this]() -> asio::awaitable<void> {
        int dropped = 0;
        platform->keeps = [&dropped](const Arrival& arrival) {
            return arrival.range.first != 11 || dropped++ > 0;
        };
        start();
        EXPECT_TRUE(co_await until([this] { return uplink->status().connected; }));
        co_await commit(Lane::telemetry, 5);
        EXPECT_TRUE(co_await delivered());
        EXPECT_EQ(arrived(), 6U);
        EXPECT_EQ(platform->arrivals().back().range, (Range{11, 20}));
        EXPECT_EQ(platform->duplicates(), 0U);
        co_await stop();
    };
    run(body());
}

TEST_F(UplinkTest, W08_AHelloBringsWhatNoReceiptCovers)
{
    use_broker();
    auto body = [this]() -> asio::awaitable<void> {
        platform->commits = false;
        start();
        co_await commit(Lane::telemetry, 5);
        EXPECT_TRUE(co_await until([this] { return arrived() == 5; }));
        platform->commits = true;
        platform->send_receipt(true);
        EXPECT_TRUE(co_await delivered());
        EXPECT_EQ(arrived(), 10U);
        co_await stop();
    };
    run(body());
}

TEST_F(UplinkTest, W10_AReceiverKilledBetweenCommitAndReceiptAnswersTheNextBirthInFull)
{
    use_broker();
    auto body = [this]() -> asio::awaitable<void> {
        platform->receipts = false;
        start();
        co_await commit(Lane::telemetry, 5);
        EXPECT_TRUE(co_await until([this] { return arrived() == 5; }));
        platform->receipts = true;
        uplink->birth_changed();
        EXPECT_TRUE(co_await delivered());
        platform->send_receipt(true);
        co_await until([] { return false; }, 200ms);
        EXPECT_EQ(arrived(), 5U);
        co_await stop();
    };
    run(body());
}

TEST_F(UplinkTest, W04_AReceiptOfAnEarlierEpochFreesItsRows)
{
    use_broker();
    auto body = [this]() -> asio::awaitable<void> {
        platform->receipts = false;
        start();
        co_await commit(Lane::telemetry, 5);
        EXPECT_TRUE(co_await until([this] { return arrived() == 5; }));
        co_await abandon();
        const auto first = outbox->epoch();
        open_outbox();
        start();
        EXPECT_TRUE(co_await until([this] { return platform->count("birth") == 2; }));
        platform->receipts = true;
        platform->send_receipt();
        EXPECT_TRUE(co_await delivered());
        EXPECT_NE(outbox->epoch(), first);
        EXPECT_EQ(platform->committed(first, Lane::telemetry).size(), 50U);
        EXPECT_FALSE(platform->contradicted());
        co_await stop();
    };
    run(body());
}

TEST_F(UplinkTest, W05_AReceiptLostInACrashMeansSendingAgainAndNoContradiction)
{
    use_broker();
    auto body = [this]() -> asio::awaitable<void> {
        start();
        co_await commit(Lane::telemetry, 1);
        EXPECT_TRUE(co_await delivered());
        co_await commit(Lane::telemetry, 5);
        EXPECT_TRUE(co_await delivered());
        // The disk as a crash at this moment leaves it: the ranges wait for the next commit.
        const auto crashed = folder.path() / "crashed";
        std::filesystem::copy(folder.path() / "state", crashed,
                              std::filesystem::copy_options::recursive);
        co_await abandon();
        open_outbox(crashed.string());
        platform->receipts = false;  // else the answer to the birth may come first
        start();
        EXPECT_TRUE(co_await until([this] { return platform->duplicates() > 0; }));
        platform->receipts = true;
        platform->send_receipt();
        EXPECT_TRUE(co_await delivered());
        EXPECT_FALSE(platform->contradicted());
        co_await stop();
    };
    run(body());
}

TEST_F(UplinkTest, HostileReceiptsChangeNothing)
{
    use_broker();
    auto body = [this]() -> asio::awaitable<void> {
        platform->receipts = false;
        start();
        co_await commit(Lane::telemetry, 5);
        EXPECT_TRUE(co_await until([this] { return arrived() == 5; }));
        const auto receipt = [this](const std::string& receiver, const std::string& of,
                                    const std::string& epoch, const std::string& ranges) {
            return R"({"schema":"smartstate.receipt/1","receiver":")" + receiver + R"(","box":")" +
                   of + R"(","epochs":{")" + epoch + R"(":{"telemetry":)" + ranges +
                   R"(}},"need":["ffffffffffffffff"]})";
        };
        const auto here = outbox->epoch().hex();
        const auto before = uplink->status().ignored_receipts;
        platform->publish("receipt", receipt("receiver-2", box, here, "[[1,50]]"));
        platform->publish("receipt", receipt("receiver-1", "other", here, "[[1,50]]"));
        platform->publish("receipt", receipt("receiver-1", box, std::string(32, 'a'), "[[1,50]]"));
        platform->publish("receipt", "garbage");
        platform->publish("receipt", std::string(300'000, ' '));
        platform->publish("receipt", receipt("receiver-1", box, here, "[[5,1]]"));
        EXPECT_TRUE(
            co_await until([&] { return uplink->status().ignored_receipts == before + 6; }));
        platform->publish("receipt", receipt("receiver-1", box, here, "[[1,51]]"));
        EXPECT_TRUE(co_await until([this] { return !events.empty(); }));
        EXPECT_EQ(events.front().code, "receipt-above-head");
        const auto lane = co_await counters(Lane::telemetry);
        EXPECT_EQ(lane.first_held, 1U);
        EXPECT_EQ(lane.queued, 50U);
        EXPECT_EQ(arrived(), 5U);
        platform->send_receipt();
        EXPECT_TRUE(co_await delivered());
        co_await stop();
    };
    run(body());
}

TEST_F(UplinkTest, DictionariesAreRetainedPublishedAgainOnNeedAndClearedWhenUnused)
{
    use_broker();
    auto body = [this]() -> asio::awaitable<void> {
        auto settings = config(broker->port());
        settings.manifest_every = 300ms;
        platform->receipts = false;
        start(settings);
        co_await commit(Lane::telemetry, 1);
        EXPECT_TRUE(co_await until([this] { return arrived() == 1; }));
        EXPECT_EQ(platform->dictionaries().count("0123456789abcdef"), 1U);
        EXPECT_EQ(platform->dictionary_messages(), 1U);
        platform->send_receipt(false, {"0123456789abcdef"});
        EXPECT_TRUE(co_await until([this] { return platform->dictionary_messages() >= 2; }));
        EXPECT_TRUE(co_await until([this] { return platform->dictionaries().empty(); }));
        co_await commit(Lane::telemetry, 1);
        EXPECT_TRUE(co_await until([this] { return arrived() == 2; }));
        EXPECT_FALSE(platform->dictionary_missed());
        co_await stop();
    };
    run(body());
}

TEST_F(UplinkTest, ABatchTooLargeForTheBrokerIsSplit)
{
    use_broker("max_packet_size 3000\n");
    auto body = [this]() -> asio::awaitable<void> {
        start();
        EXPECT_TRUE(co_await until([this] { return uplink->status().connected; }));
        co_await commit(Lane::telemetry, 2, 5'000);
        EXPECT_TRUE(co_await delivered());
        EXPECT_GT(arrived(), 4U);
        co_await stop();
    };
    run(body());
}

TEST_F(UplinkTest, ABirthTooLargeForTheBrokerIsToldAndReadingsGoOn)
{
    use_broker("max_packet_size 3000\n");
    auto body = [this]() -> asio::awaitable<void> {
        birth.advice.assign(1, std::string(4'000, 'x'));
        start();
        EXPECT_TRUE(co_await until([this] { return uplink->status().connected; }));
        co_await commit(Lane::telemetry, 2);
        EXPECT_TRUE(co_await delivered());
        const auto said = uplink->status().too_large;
        EXPECT_NE(said.find(" bytes on ss1/place-1/birth/"), std::string::npos) << said;
        EXPECT_EQ(uplink->status().sessions, 1U);
        co_await stop();
    };
    run(body());
}

TEST_F(UplinkTest, ATopicTheBrokerDeniesIsHeldWithAnEventAndTheOthersGoOn)
{
    const std::string rules =
        "topic write ss1/place-1/#\ntopic read ss1/place-1/#\n"
        "topic deny ss1/place-1/data/#\n";
    use_broker("acl_file %f/acl\n", {{"acl", rules}});
    auto body = [this]() -> asio::awaitable<void> {
        start();
        EXPECT_TRUE(co_await until([this] { return uplink->status().connected; }));
        co_await commit(Lane::telemetry, 5);
        co_await commit(Lane::alarm, 1, 1);
        EXPECT_TRUE(co_await delivered());  // data by way of history
        EXPECT_EQ(std::count_if(events.begin(), events.end(),
                                [](const Event& event) { return event.code == "topic-refused"; }),
                  1);
        co_await stop();
    };
    run(body());
}

TEST_F(UplinkTest, WhenTheBrokersRulesWereWrongItIsTriedAgainInANewSession)
{
    use_broker("acl_file %f/acl\n",
               {{"acl", "topic read ss1/place-1/#\ntopic write ss1/place-1/state/#\n"}});
    auto body = [this]() -> asio::awaitable<void> {
        auto settings = config(broker->port());
        settings.renew_after_refusal = 500ms;
        start(settings);
        co_await commit(Lane::telemetry, 5);
        EXPECT_TRUE(co_await until([this] { return !events.empty(); }));
        std::ofstream(broker->folder() / "acl") << "topic readwrite ss1/place-1/#\n";
        broker->reload();
        EXPECT_TRUE(co_await delivered());
        EXPECT_NE(platform->last("birth"), "");
        co_await stop();
    };
    run(body());
}

TEST_F(UplinkTest, S37_ABatchThatIsTooLargeForASlowLineIsSplitUntilItGetsThrough)
{
    use_broker();
    auto body = [this]() -> asio::awaitable<void> {
        Proxy proxy(loop, broker->port());
        proxy.slow(20'000);
        auto settings = config(proxy.port());
        settings.answer_timeout = 1s;
        co_await commit(Lane::telemetry, 1, 6'000);  // some 60 kB
        start(settings);
        EXPECT_TRUE(co_await delivered());
        EXPECT_GT(uplink->status().sessions, 3U);
        EXPECT_GT(arrived(), 2U);
        EXPECT_FALSE(platform->contradicted());
        co_await stop();
    };
    run(body(), std::chrono::minutes(1));
}

TEST_F(UplinkTest, N20_ACloneIsSeenThoughTheBrokerDoesNotTellOfIt)
{
    use_broker();
    auto body = [this]() -> asio::awaitable<void> {
        auto settings = config(broker->port());
        settings.backoff.most = 2s;
        start(settings);
        EXPECT_TRUE(co_await until([this] { return uplink->status().connected; }));
        EXPECT_TRUE(co_await until(
            [this] { return platform->last("state").find("\"online\"") != std::string::npos; }));
        for (int cut = 0; cut < 3; ++cut) {  // sessions of its own are no clone
            const auto sessions = uplink->status().sessions;
            broker->kill();
            broker->start();
            EXPECT_TRUE(co_await until([&] { return uplink->status().sessions > sessions; }));
        }
        EXPECT_TRUE(events.empty());
        auto stolen = connect_options(settings, "127.0.0.1", {});
        mqtt::Client thief(loop.get_executor(), mqtt, stolen);
        EXPECT_TRUE((co_await thief.connect()).has_value());
        co_await thief.publish(std::string("ss1/") + org + "/state/" + box,
                               state_json(box, "0123456789abcdef", "online"), true);
        EXPECT_TRUE(co_await until([this] { return !events.empty(); }));
        EXPECT_EQ(events.front().code, "clone?");
        co_await stop();
    };
    run(body());
}

TEST_F(UplinkTest, S34_AReceiverThatConfirmsNothingShows)
{
    use_broker();
    auto body = [this]() -> asio::awaitable<void> {
        platform->receipts = false;
        start();
        co_await commit(Lane::telemetry, 3);
        EXPECT_TRUE(co_await until([this] { return arrived() == 3; }));
        EXPECT_TRUE(
            co_await until([this] { return uplink->status().unconfirmed_since.has_value(); }));
        platform->send_receipt();
        EXPECT_TRUE(co_await delivered());
        EXPECT_FALSE(uplink->status().unconfirmed_since.has_value());
        co_await stop();
    };
    run(body());
}

TEST_F(UplinkTest, ReleaseOnPubackNeedsNoReceiver)
{
    use_broker();
    auto body = [this]() -> asio::awaitable<void> {
        platform->receipts = false;
        auto settings = config(broker->port());
        settings.settings.release = Release::puback;
        start(settings);
        co_await commit(Lane::telemetry, 40);
        EXPECT_TRUE(co_await delivered());
        co_await stop();
    };
    run(body());
}

TEST_F(UplinkTest, SpeaksMqtt311WithReceipts)
{
    use_broker();
    auto body = [this]() -> asio::awaitable<void> {
        auto settings = config(broker->port());
        settings.settings.mqtt5 = false;
        start(settings);
        co_await commit(Lane::telemetry, 40);
        EXPECT_TRUE(co_await delivered());
        co_await stop();
    };
    run(body());
}

TEST_F(UplinkTest, CommandsOfThePlatformAreAnswered)
{
    use_broker();
    auto body = [this]() -> asio::awaitable<void> {
        platform->receipts = false;
        start();
        co_await commit(Lane::telemetry, 3);
        EXPECT_TRUE(co_await until([this] { return arrived() == 3; }));
        const auto command = [](const std::string& id, const std::string& name,
                                const std::string& arguments) {
            return R"({"schema":"smartstate.command/1","id":")" + id + R"(","command":")" + name +
                   R"(","arguments":)" + arguments + "}";
        };
        const auto births = platform->count("birth");
        const auto manifests = platform->count("manifest");
        platform->publish("cmd", command("1", "rebirth", "{}"));
        EXPECT_TRUE(co_await until([&] {
            return platform->count("birth") > births && platform->count("manifest") > manifests &&
                   platform->count("ack") == 1;
        }));
        const auto ranges =
            R"({"epoch":")" + outbox->epoch().hex() + R"(","lane":"telemetry","ranges":[[11,12]]})";
        platform->publish("cmd", command("2", "replay", ranges));
        EXPECT_TRUE(co_await until([this] { return arrived() == 4; }));
        EXPECT_EQ(platform->arrivals().back().range, (Range{11, 20}));
        platform->publish("cmd", command("3", "dance", "{}"));
        EXPECT_TRUE(co_await until([this] { return platform->count("ack") == 3; }));
        EXPECT_NE(platform->last("ack").find("does not know"), std::string::npos);
        co_await stop();
    };
    run(body());
}

}  // namespace
}  // namespace gateway::test
