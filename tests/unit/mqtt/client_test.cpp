#include "gateway/mqtt/client.hpp"

#include "tests/support/broker.hpp"
#include "tests/support/free_port.hpp"
#include "tests/support/loop.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gateway::mqtt {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;
using test::Broker;
using test::eventually;

Options options_for(std::uint16_t port, std::string client_id)
{
    Options options;
    options.address = "127.0.0.1";
    options.port = port;
    options.client_id = std::move(client_id);
    options.connect_timeout = 5s;
    return options;
}

std::shared_ptr<const Bytes> payload(std::size_t size = 100)
{
    return std::make_shared<const Bytes>(size, std::uint8_t{7});
}

class MqttClient : public testing::Test {
protected:
    void run(asio::awaitable<void> body) { test::run_test(loop, std::move(body)); }
    std::unique_ptr<Client> client(Options options)
    {
        return std::make_unique<Client>(loop.get_executor(), worker, std::move(options));
    }
    std::unique_ptr<Client> client(const std::string& id)
    {
        return client(options_for(broker.port(), id));
    }
    /// Publishes `count` messages, counting how often each ends.
    void publish_many(Client& sender, std::size_t count, std::vector<int>& ends, int& failures)
    {
        ends.assign(count, 0);
        for (std::size_t at = 0; at < count; ++at) {
            sender.publish("t", payload(), false, [&ends, &failures, at](Outcome outcome) {
                ++ends[at];
                failures += outcome.error ? 1 : 0;
            });
        }
    }
    static bool each_once(const std::vector<int>& ends)
    {
        return std::all_of(ends.begin(), ends.end(), [](int times) { return times == 1; });
    }

    Broker broker;
    Worker worker;
    asio::io_context loop;
};

TEST_F(MqttClient, ConnectsAndLearnsTheBrokersLimits)
{
    Broker small("max_packet_size 3000\n");
    auto body = [&]() -> asio::awaitable<void> {
        auto sender = client(options_for(small.port(), "a"));
        const auto session = co_await sender->connect();
        EXPECT_TRUE(session.has_value()) << sender->problem();
        EXPECT_EQ(session->receive_maximum, 20U);
        EXPECT_EQ(session->maximum_packet_size, 3'000U);
        co_await sender->disconnect(1s);
    };
    run(body());
}

TEST_F(MqttClient, AThousandPublishesEndOnceEachAndArriveInOrder)
{
    auto body = [&]() -> asio::awaitable<void> {
        auto sender = client("a");
        auto reader = client("b");
        std::vector<int> seen;
        reader->on_message(
            [&](Message message) { seen.push_back(message.payload[0] << 8 | message.payload[1]); });
        EXPECT_TRUE((co_await reader->connect()).has_value());
        EXPECT_TRUE((co_await reader->subscribe("t")).has_value());
        EXPECT_TRUE((co_await sender->connect()).has_value());
        int acknowledged = 0;
        for (int at = 0; at < 1'000; ++at) {
            auto bytes =
                std::make_shared<const Bytes>(Bytes{std::uint8_t(at >> 8), std::uint8_t(at)});
            sender->publish("t", std::move(bytes), false, [&](Outcome outcome) {
                EXPECT_FALSE(outcome.error);
                EXPECT_EQ(outcome.reason_code, 0);
                ++acknowledged;
            });
        }
        EXPECT_TRUE(
            co_await eventually([&] { return acknowledged == 1'000 && seen.size() == 1'000; }));
        for (int at = 0; at < 1'000; ++at) {
            EXPECT_EQ(seen[static_cast<std::size_t>(at)], at);
        }
        co_await sender->disconnect(1s);
        co_await reader->disconnect(1s);
    };
    run(body());
}

TEST_F(MqttClient, SpeaksMqtt311)
{
    auto body = [&]() -> asio::awaitable<void> {
        auto options = options_for(broker.port(), "a");
        options.mqtt5 = false;
        auto sender = client(options);
        std::vector<Message> seen;
        sender->on_message([&](Message message) { seen.push_back(std::move(message)); });
        EXPECT_TRUE((co_await sender->connect()).has_value()) << sender->problem();
        EXPECT_TRUE((co_await sender->subscribe("t")).has_value());
        const auto outcome = co_await sender->publish("t", "hello", false);
        EXPECT_FALSE(outcome.error);
        EXPECT_TRUE(co_await eventually([&] { return seen.size() == 1; }));
    };
    run(body());
}

TEST_F(MqttClient, RetainedMessagesArriveMarked)
{
    auto body = [&]() -> asio::awaitable<void> {
        auto sender = client("a");
        EXPECT_TRUE((co_await sender->connect()).has_value());
        co_await sender->publish("birth", "first", true);
        auto reader = client("b");
        std::optional<Message> seen;
        reader->on_message([&](Message message) { seen = std::move(message); });
        EXPECT_TRUE((co_await reader->connect()).has_value());
        EXPECT_TRUE((co_await reader->subscribe("birth")).has_value());
        EXPECT_TRUE(co_await eventually([&] { return seen.has_value(); }));
        EXPECT_TRUE(seen->retained);
        EXPECT_EQ(std::string(seen->payload.begin(), seen->payload.end()), "first");
    };
    run(body());
}

TEST_F(MqttClient, TheWillSpeaksWhenTheSessionIsLost)
{
    auto body = [&]() -> asio::awaitable<void> {
        auto reader = client("reader");
        std::optional<Message> seen;
        reader->on_message([&](Message message) { seen = std::move(message); });
        EXPECT_TRUE((co_await reader->connect()).has_value());
        EXPECT_TRUE((co_await reader->subscribe("state")).has_value());
        auto options = options_for(broker.port(), "box");
        options.will = Message{"state", {'o', 'f', 'f'}, true};
        auto first = client(options);
        std::optional<Error> lost;
        first->on_lost([&](Error error, const std::string&) { lost = error; });
        EXPECT_TRUE((co_await first->connect()).has_value());
        auto second = client("box");
        EXPECT_TRUE((co_await second->connect()).has_value());
        EXPECT_TRUE(co_await eventually([&] { return lost.has_value() && seen.has_value(); }));
        EXPECT_EQ(seen->payload, (Bytes{'o', 'f', 'f'}));
    };
    run(body());
}

// mosquitto 2.0 says nothing when it gives a session to another client; other brokers do.
TEST_F(MqttClient, AReasonOfTheBrokerForItsDisconnectIsPassedOn)
{
    auto body = [&]() -> asio::awaitable<void> {
        tcp::acceptor acceptor(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
        auto sender = client(options_for(acceptor.local_endpoint().port(), "box"));
        std::optional<Error> lost;
        sender->on_lost([&](Error error, const std::string&) { lost = error; });
        auto broker_side = [&]() -> asio::awaitable<void> {
            auto socket = co_await acceptor.async_accept(asio::use_awaitable);
            std::array<std::uint8_t, 256> request{};
            const auto read = asio::buffer(request);
            co_await socket.async_read_some(read, asio::use_awaitable);
            const std::array<std::uint8_t, 8> connack{0x20, 6, 0, 0, 3, 0x21, 0, 7};
            const std::array<std::uint8_t, 4> taken_over{0xE0, 2, 142, 0};
            const auto first = asio::buffer(connack);
            co_await asio::async_write(socket, first, asio::use_awaitable);
            const auto second = asio::buffer(taken_over);
            co_await asio::async_write(socket, second, asio::use_awaitable);
            EXPECT_TRUE(co_await eventually([&] { return lost.has_value(); }));
        };
        bool served = false;
        asio::co_spawn(loop, broker_side(), [&](std::exception_ptr) { served = true; });
        const auto session = co_await sender->connect();
        EXPECT_TRUE(session.has_value());
        EXPECT_EQ(session->receive_maximum, 7U);
        EXPECT_TRUE(co_await eventually([&] { return served; }));
        EXPECT_EQ(*lost, Error(session_taken_over, reason_category()));
    };
    run(body());
}

TEST_F(MqttClient, TlsChecksTheNameOfTheServerAndItsIssuer)
{
    const test::TemporaryFolder keys;
    const auto file = [&](const std::string& name) { return (keys.path() / name).string(); };
    for (const std::string name : {"platform", "stranger"}) {
        const auto command =
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
            "-days 2 -subj /CN=x -addext subjectAltName=DNS:" +
            name + ".example -keyout " + file(name + ".key") + " -out " + file(name + ".crt") +
            " 2>/dev/null";
        // NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread waits for a child
        ASSERT_EQ(std::system(command.c_str()), 0);
    }
    Broker secure("certfile " + file("platform.crt") + "\nkeyfile " + file("platform.key") + "\n");
    auto connects = [&](std::string name, std::string ca, bool& answer) -> asio::awaitable<void> {
        auto options = options_for(secure.port(), "a");
        options.tls = true;
        options.server_name = std::move(name);
        options.ca_file = std::move(ca);
        auto sender = client(options);
        answer = (co_await sender->connect()).has_value();
    };
    auto body = [&]() -> asio::awaitable<void> {
        bool right = false;
        bool wrong_name = true;
        bool wrong_issuer = true;
        co_await connects("platform.example", file("platform.crt"), right);
        co_await connects("other.example", file("platform.crt"), wrong_name);
        co_await connects("platform.example", file("stranger.crt"), wrong_issuer);
        EXPECT_TRUE(right);
        EXPECT_FALSE(wrong_name);
        EXPECT_FALSE(wrong_issuer);
    };
    run(body());
}

TEST_F(MqttClient, AKilledBrokerEndsEveryPublishOnceAndIsReportedOnce)
{
    auto body = [&]() -> asio::awaitable<void> {
        auto sender = client("a");
        int lost = 0;
        sender->on_lost([&](Error, const std::string&) { ++lost; });
        EXPECT_TRUE((co_await sender->connect()).has_value());
        std::vector<int> ends;
        int failures = 0;
        broker.freeze();  // so that nothing is acknowledged before the end
        publish_many(*sender, 1'000, ends, failures);
        broker.kill();
        EXPECT_TRUE(co_await eventually([&] { return lost > 0; }));
        EXPECT_TRUE(co_await eventually([&] { return each_once(ends); }));
        EXPECT_EQ(failures, 1'000);
        EXPECT_EQ(lost, 1);
        bool late = false;
        sender->publish("t", payload(), false,
                        [&](Outcome outcome) { late = outcome.error.failed(); });
        EXPECT_TRUE(co_await eventually([&] { return late; }));
        EXPECT_TRUE(each_once(ends));
    };
    run(body());
}

TEST_F(MqttClient, AFrozenBrokerIsNoticedByMissingAnswers)
{
    auto body = [&]() -> asio::awaitable<void> {
        auto options = options_for(broker.port(), "a");
        options.answer_timeout = 300ms;
        auto sender = client(options);
        std::optional<Error> lost;
        sender->on_lost([&](Error error, const std::string&) { lost = error; });
        EXPECT_TRUE((co_await sender->connect()).has_value());
        broker.freeze();
        std::vector<int> ends;
        int failures = 0;
        publish_many(*sender, 50, ends, failures);
        EXPECT_TRUE(co_await eventually([&] { return lost.has_value(); }, 3s));
        EXPECT_EQ(*lost, make_error_code(Fault::timed_out));
        EXPECT_TRUE(each_once(ends));
        EXPECT_EQ(failures, 50);
        broker.thaw();
    };
    run(body());
}

TEST_F(MqttClient, NoConnectionWithinTheLimitOnAFrozenBroker)
{
    auto body = [&]() -> asio::awaitable<void> {
        broker.freeze();
        auto options = options_for(broker.port(), "a");
        options.connect_timeout = 300ms;
        auto sender = client(options);
        const auto session = co_await sender->connect();
        EXPECT_FALSE(session.has_value());
        broker.thaw();
    };
    run(body());
}

TEST_F(MqttClient, ARefusedConnectionSaysSo)
{
    auto body = [&]() -> asio::awaitable<void> {
        auto sender = client(options_for(test::free_port(), "a"));
        const auto session = co_await sender->connect();
        EXPECT_FALSE(session.has_value());
        EXPECT_EQ(sender->problem(), "Connection refused");
    };
    run(body());
}

TEST_F(MqttClient, AWrongPasswordGivesTheBrokersReasonInBothVersions)
{
    Broker strict("allow_anonymous false\n");
    auto body = [&]() -> asio::awaitable<void> {
        for (const bool mqtt5 : {true, false}) {
            auto options = options_for(strict.port(), "a");
            options.mqtt5 = mqtt5;
            auto sender = client(options);
            const auto session = co_await sender->connect();
            EXPECT_FALSE(session.has_value());
            EXPECT_EQ(session.error(), Error(not_authorized, reason_category())) << mqtt5;
        }
    };
    run(body());
}

TEST_F(MqttClient, ADeniedTopicGivesItsReasonCode)
{
    Broker strict("acl_file %f/acl\n", {{"acl", "topic write allowed/#\n"}});
    auto body = [&]() -> asio::awaitable<void> {
        auto sender = client(options_for(strict.port(), "a"));
        EXPECT_TRUE((co_await sender->connect()).has_value());
        const auto allowed = co_await sender->publish("allowed/x", "1", false);
        const auto denied = co_await sender->publish("denied/x", "1", false);
        EXPECT_EQ(allowed.reason_code, 0);
        EXPECT_FALSE(denied.error);
        EXPECT_EQ(denied.reason_code, not_authorized);
    };
    run(body());
}

TEST_F(MqttClient, MayBeDestroyedWithPublishesInFlight)
{
    auto body = [&]() -> asio::awaitable<void> {
        for (int round = 0; round < 10; ++round) {
            auto sender = client("a" + std::to_string(round));
            EXPECT_TRUE((co_await sender->connect()).has_value());
            int ended = 0;
            auto destroyed = std::make_shared<bool>(false);
            for (int at = 0; at < 100; ++at) {
                sender->publish("t", payload(10'000), false, [&ended, destroyed](Outcome) {
                    EXPECT_FALSE(*destroyed);
                    ++ended;
                });
            }
            EXPECT_TRUE(co_await eventually([&] { return ended >= round; }));
            *destroyed = true;
            sender.reset();
        }
    };
    run(body());
}

TEST_F(MqttClient, MayBeDestroyedInItsOwnHandler)
{
    auto body = [&]() -> asio::awaitable<void> {
        auto sender = client("a");
        bool gone = false;
        sender->on_lost([&](Error, const std::string&) {
            sender.reset();
            gone = true;
        });
        EXPECT_TRUE((co_await sender->connect()).has_value());
        broker.kill();
        EXPECT_TRUE(co_await eventually([&] { return gone; }));
    };
    run(body());
}

}  // namespace
}  // namespace gateway::mqtt
