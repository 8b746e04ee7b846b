#include "gateway/store/batch.hpp"
#include "tests/support/scripted_broker.hpp"
#include "tests/unit/uplink/uplink_fixture.hpp"

#include <algorithm>

namespace gateway::test {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using Answer = ScriptedBroker::Answer;
using Publish = ScriptedBroker::Publish;

constexpr std::uint8_t session_taken_over = 142, packet_too_large = 149, quota_exceeded = 151,
                       payload_invalid = 153;

/// Nothing: it is no batch.
std::optional<BatchSummary> batch_in(const Publish& message)
{
    const auto found = decode_header(message.payload);
    return found ? std::optional(*found) : std::nullopt;
}

class Refusals : public UplinkTest {
protected:
    /// Waits on the loop; no platform is there.
    asio::awaitable<bool> soon(std::function<bool()> holds)
    {
        return eventually(std::move(holds), 20s);
    }
    std::size_t events_of(std::string_view code) const
    {
        return static_cast<std::size_t>(std::ranges::count(events, code, &Event::code));
    }

    ScriptedBroker scripted{loop};
};

TEST_F(Refusals, N12_ABatchRefusedTwiceIsDeclaredLostAndTheNextOnesGoOut)
{
    unsigned refused = 0;
    bool tombstone_came = false;
    std::uint64_t highest = 0;
    scripted.answer = [&](const Publish& message) {
        const auto batch = batch_in(message);
        if (!batch || batch->header.lane != Lane::telemetry) {
            return Answer();
        }
        const bool is_first = batch->header.first == 1;
        tombstone_came = tombstone_came || (is_first && batch->tombstone);
        highest = std::max(highest, batch->header.first);
        if (is_first && !batch->tombstone) {
            ++refused;
            return Answer{payload_invalid};
        }
        return Answer();
    };
    auto body = [&]() -> asio::awaitable<void> {
        co_await commit(Lane::telemetry, 3);
        start(config(scripted.port()));
        EXPECT_TRUE(co_await soon([&] { return tombstone_came && highest == 21; }));
        EXPECT_EQ(refused, 2U);
        EXPECT_EQ((co_await counters(Lane::telemetry)).tombstoned, 10U);
        co_await stop();
    };
    run(body());
}

TEST_F(Refusals, S37_AReadingTooLargeForTheBrokerIsDeclaredLostAndNotSentForEver)
{
    unsigned refused = 0;
    bool tombstone_came = false;
    scripted.answer = [&](const Publish& message) {
        const auto batch = batch_in(message);
        if (!batch || batch->header.lane != Lane::telemetry) {
            return Answer();
        }
        tombstone_came = tombstone_came || batch->tombstone;
        refused += batch->tombstone ? 0U : 1U;
        return batch->tombstone ? Answer() : Answer{packet_too_large};
    };
    auto body = [&]() -> asio::awaitable<void> {
        co_await commit(Lane::telemetry, 1, 1);
        start(config(scripted.port()));
        EXPECT_TRUE(co_await soon([&] { return tombstone_came; }));
        EXPECT_EQ(refused, 1U);
        co_await stop();
    };
    run(body());
}

TEST_F(Refusals, N10_AQuotaIsWaitedForAndNothingIsGivenUp)
{
    unsigned refused = 0;
    RangeSet taken;
    scripted.answer = [&](const Publish& message) {
        const auto batch = batch_in(message);
        if (!batch || batch->header.lane != Lane::telemetry) {
            return Answer();
        }
        if (refused < 3) {
            ++refused;
            return Answer{quota_exceeded};
        }
        taken.add({batch->header.first, batch->header.first + 9});
        return Answer();
    };
    const Range all{1, 50};
    auto body = [&]() -> asio::awaitable<void> {
        co_await commit(Lane::telemetry, 5);
        start(config(scripted.port()));
        EXPECT_TRUE(co_await soon([&] { return taken.contains(all); }));
        EXPECT_EQ((co_await counters(Lane::telemetry)).tombstoned, 0U);
        EXPECT_EQ(scripted.connections(), 1U);
        co_await stop();
    };
    run(body());
}

TEST_F(Refusals, N20_AnotherClientOfThisNameIsToldAndNotFought)
{
    scripted.answer = [](const Publish&) { return Answer{session_taken_over, true}; };
    auto body = [this]() -> asio::awaitable<void> {
        auto settings = config(scripted.port());
        settings.backoff.most = 3s;
        start(settings);
        EXPECT_TRUE(co_await soon([this] { return events_of("clone?") == 1; }));
        co_await eventually([] { return false; }, 1s);
        EXPECT_EQ(scripted.connections(), 1U) << "half of the longest pause at least";
        EXPECT_TRUE(co_await soon([this] { return scripted.connections() > 1; }));
        co_await abandon();
    };
    run(body());
}

TEST_F(Refusals, S37_ABrokerThatHangsUpOnALargeBatchGetsSmallerOnes)
{
    constexpr std::size_t most = 20'000;
    RangeSet taken;
    scripted.answer = [&](const Publish& message) {
        if (message.payload.size() > most) {
            return Answer{packet_too_large, true};
        }
        if (const auto batch = batch_in(message); batch && batch->header.lane == Lane::telemetry) {
            EXPECT_FALSE(batch->tombstone);
            taken.add({batch->header.first, batch->header.first + batch->count - 1});
        }
        return Answer();
    };
    const Range all{1, 12'000};
    auto body = [&]() -> asio::awaitable<void> {
        co_await commit(Lane::telemetry, 2, 6'000);
        start(config(scripted.port()));
        EXPECT_TRUE(co_await soon([&] { return taken.contains(all); }));
        EXPECT_EQ((co_await counters(Lane::telemetry)).tombstoned, 0U);
        co_await stop();
    };
    run(body(), 60s);
}

}  // namespace
}  // namespace gateway::test
