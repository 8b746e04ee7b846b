#include "gateway/tls/probe.hpp"

#include "gateway/mqtt/client.hpp"
#include "gateway/tls/judged_time.hpp"
#include "tests/support/loop.hpp"
#include "tests/unit/tls/authority.hpp"

#include <boost/asio/detached.hpp>

namespace gateway::tls::probe_test {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

/// Soon: the authority is not valid before it is made.
const WallTime now =
    std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()) + 10min;

/// The broker's certificate begins in a week: a clock a week ahead finds it right.
class TlsTime : public testing::Test {
protected:
    TlsTime()
    {
        authority.issue("server",
                        "kind='server', names='DNS:broker.example,IP:127.0.0.1', begin=7, "
                        "days=10");
        broker.emplace("certfile " + authority.file("server.crt") + "\nkeyfile " +
                       authority.file("server.key") + "\n");
    }
    Peer peer(const std::string& name, WallTime at) const
    {
        return {.address = "127.0.0.1",
                .port = broker->port(),
                .name = name,
                .ca_file = authority.ca(),
                .at = at};
    }
    asio::awaitable<bool> connects(std::string name, std::optional<WallTime> at)
    {
        mqtt::Options options;
        options.address = "127.0.0.1";
        options.port = broker->port();
        options.client_id = "a";
        options.tls = true;
        options.server_name = std::move(name);
        options.ca_file = authority.ca();
        options.certificate_time = at;
        mqtt::Client client(loop.get_executor(), worker, options);
        const auto session = co_await client.connect();
        found = client.finding();
        co_return session.has_value();
    }

    test::Authority authority;
    std::optional<test::Broker> broker;
    Worker worker;
    asio::io_context loop;
    Finding found;
};

TEST_F(TlsTime, C05_AProbeSaysNotYetValidAndFromWhen)
{
    auto body = [this]() -> asio::awaitable<void> {
        const auto early = co_await probe(peer("broker.example", now), 5s);
        EXPECT_EQ(early.trouble, Trouble::not_yet_valid) << early.text;
        EXPECT_TRUE(early.signed_time.has_value());
        const auto then = early.signed_time.value_or(now);
        const auto right = co_await probe(peer("broker.example", then), 5s);
        EXPECT_EQ(right.trouble, Trouble::none) << early.text << "; " << right.text;
        const auto by_address = co_await probe(peer("", then), 5s);
        EXPECT_EQ(by_address.trouble, Trouble::none) << by_address.text;
        const auto late = co_await probe(peer("broker.example", now + 24h * 20), 5s);
        EXPECT_EQ(late.trouble, Trouble::expired) << late.text;
        const auto other = co_await probe(peer("other.example", now), 5s);
        EXPECT_EQ(other.trouble, Trouble::wrong_name);
        EXPECT_FALSE(other.signed_time.has_value());
    };
    test::run_test(loop, body());
}

TEST_F(TlsTime, C05_AConnectionIsJudgedAtTheTimeItIsGiven)
{
    auto body = [this]() -> asio::awaitable<void> {
        EXPECT_TRUE(co_await connects("broker.example", now + 24h * 8));
        EXPECT_TRUE(co_await connects("", now + 24h * 8));
        EXPECT_FALSE(co_await connects("broker.example", std::nullopt));  // nothing is left behind
        EXPECT_EQ(found.trouble, Trouble::not_yet_valid) << found.text;
        EXPECT_FALSE(co_await connects("broker.example", now + 24h * 20));
        EXPECT_EQ(found.trouble, Trouble::expired);
        EXPECT_FALSE(co_await connects("other.example", now + 24h * 8));
        EXPECT_EQ(found.trouble, Trouble::wrong_name);
    };
    test::run_test(loop, body());
}

TEST_F(TlsTime, TwoConnectsAtOnceAreEachJudgedByTheirOwnName)
{
    auto body = [this]() -> asio::awaitable<void> {
        int right = 0;
        int wrong = 0;
        int ended = 0;
        auto client = [&](std::string name, int& good) -> asio::awaitable<void> {
            good += co_await connects(std::move(name), now + 24h * 8) ? 1 : 0;
            ++ended;
        };
        for (int round = 0; round < 5; ++round) {
            asio::co_spawn(loop, client("broker.example", right), asio::detached);
            asio::co_spawn(loop, client("other.example", wrong), asio::detached);
        }
        EXPECT_TRUE(co_await test::eventually([&] { return ended == 10; }, 20s));
        EXPECT_EQ(right, 5);
        EXPECT_EQ(wrong, 0);
    };
    test::run_test(loop, body());
}

}  // namespace
}  // namespace gateway::tls::probe_test
