// The driver against a real mosquitto.
#include "drivers/mqtt_json/driver.hpp"
#include "tests/support/broker.hpp"
#include "tests/support/loop.hpp"
#include "tests/support/manual_clock.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <utility>

namespace gateway::mqtt_json {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using json_text::Location;
using Task = asio::awaitable<void>;

Location at(std::string_view pointer, std::uint16_t source = 0, bool optional = false)
{
    Location location;
    location.path.at = json_text::parse_pointer(pointer);
    location.source = source;
    location.optional = optional;
    return location;
}

struct MqttDriverTest : testing::Test {
    test::Broker broker;
    Worker worker;
    asio::io_context io{1};
    Resolver resolver{io.get_executor()};
    ManualClock clock{io};
    Brokers brokers{io.get_executor(), worker, resolver};
    json_text::DeviceMap map;
    std::unique_ptr<mqtt::Client> device;  // publishes

    void SetUp() override
    {
        map.sources = {"dev/a"};
        map.main = "dev/a";
        map.points = {at("/v"), at("/w", 0, true)};
    }

    std::string session;
    bool mqtt5 = Address().mqtt5;

    Address address() const
    {
        return {.host = "127.0.0.1", .port = broker.port(), .mqtt5 = mqtt5, .session = session};
    }

    std::unique_ptr<MqttDriver> driver()
    {
        return std::make_unique<MqttDriver>(io.get_executor(), brokers.at(address()), clock, map,
                                            std::vector<bool>(map.identity.size(), true), 1h);
    }

    asio::awaitable<void> say(std::string topic, std::string text, bool retained = false)
    {
        if (!device) {
            mqtt::Options options;
            options.address = "127.0.0.1";
            options.port = broker.port();
            options.client_id = "device";
            device = std::make_unique<mqtt::Client>(io.get_executor(), worker, std::move(options));
            const auto connected = co_await device->connect();
            EXPECT_TRUE(connected);
        }
        const auto outcome = co_await device->publish(std::move(topic), std::move(text), retained);
        EXPECT_FALSE(outcome.error);
    }

    asio::awaitable<Result<Samples>> read(MqttDriver& mqtt) const
    {
        std::vector<std::uint16_t> rows(map.points.size());
        std::iota(rows.begin(), rows.end(), std::uint16_t{0});
        co_return co_await mqtt.read(rows);
    }
    /// Subscribed on return.
    asio::awaitable<void> attend(std::string why)
    {
        auto topics = map.sources;
        const auto attended = co_await brokers.at(address())->attend(std::move(topics), false);
        EXPECT_TRUE(attended) << why;
    }

    void run(asio::awaitable<void> body) { test::run_test(io, std::move(body)); }

    void TearDown() override
    {
        device.reset();
        worker.join();
    }
};

TEST_F(MqttDriverTest, EveryMessageIsARead)
{
    auto body = [&]() -> Task {
        const auto mqtt = driver();
        co_await attend("broker");
        for (int i = 0; i < 20; ++i) {
            co_await say("dev/a", "{\"v\":" + std::to_string(i) + "}");
        }
        for (int i = 0; i < 20; ++i) {
            const auto samples = co_await read(*mqtt);
            EXPECT_TRUE(samples);
            EXPECT_EQ(samples->size(), 1U) << "what is optional and not there is no sample";
            EXPECT_EQ(samples->front().raw, Value::float64(i));
            EXPECT_EQ(samples->front().quality, Quality::good);
        }
    };
    run(body());
}

TEST_F(MqttDriverTest, ARetainedMessageIsStaleUnlessItsTimeSaysOtherwise)
{
    auto body = [&]() -> Task {
        const std::string untimed = R"({"v":1})";
        co_await say("dev/a", untimed, true);
        const auto without_time = driver();
        const auto first = co_await read(*without_time);
        EXPECT_EQ(first->front().quality, Quality::stale);
        EXPECT_EQ(first->front().raw, Value::float64(1));
        json_text::Age age{.path = {}, .format = {}, .stale = 10min};
        age.path.at = json_text::parse_pointer("/t");
        map.age = age;
        clock.set_wall(WallTime(1'000'000s), ClockState::synced);
        co_await say("dev/a", R"({"v":2,"t":999900})", true);
        const auto with_time = driver();
        auto second = co_await read(*with_time);
        EXPECT_EQ(second->front().quality, Quality::good);
        EXPECT_EQ(second->front().device_time, WallTime(999'900s));
    };
    run(body());
}

TEST_F(MqttDriverTest, WhatIsRetainedIsSaidOnceToEachDevice)
{
    auto body = [&]() -> Task {
        const std::string text = R"({"v":1})";
        co_await say("dev/a", text, true);
        const auto first = driver();
        const auto heard = co_await read(*first);
        EXPECT_EQ(heard->front().raw, Value::float64(1));
        const auto second = driver();
        const auto heard_too = co_await read(*second);
        EXPECT_EQ(heard_too->front().raw, Value::float64(1))
            << "though the topic was subscribed to";
        co_await say("dev/a", R"({"v":2})");
        const auto next = co_await read(*first);
        EXPECT_EQ(next->front().raw, Value::float64(2)) << "not the retained one again";
    };
    run(body());
}

TEST_F(MqttDriverTest, DevicesOfOneBrokerShareItsConnection)
{
    auto body = [&]() -> Task {
        const auto first = driver();
        map.sources = {"dev/+", "other/#"};
        map.points = {at("/v"), at("/x", 1)};
        const auto second = driver();
        EXPECT_EQ(brokers.at(address()), brokers.at(address()));
        co_await attend("second");
        map.sources = {"dev/a"};
        co_await attend("first");
        co_await say("other/b/c", R"({"x":5})");
        co_await say("dev/a", R"({"v":6})");
        map.points = {at("/v"), at("/x", 1)};
        const auto other = co_await read(*second);
        EXPECT_EQ(other->size(), 1U);
        EXPECT_EQ(other->front().row, 1U);
        const auto own = co_await read(*first);
        EXPECT_EQ(own->front().raw, Value::float64(6));
    };
    run(body());
}

TEST_F(MqttDriverTest, WhatIsNoJsonOrTooLargeGivesACause)
{
    map.limits.bytes = 20;
    auto body = [&]() -> Task {
        const auto mqtt = driver();
        co_await attend("broker");
        for (const auto* text : {"nonsense", "{\"v\":1", "{\"v\":1,\"long\":\"0123456789\"}", ""}) {
            co_await say("dev/a", text);
            const auto samples = co_await read(*mqtt);
            EXPECT_EQ(samples->size(), 2U) << text;
            EXPECT_EQ(samples->front().quality, Quality::comm_error) << text;
            EXPECT_EQ(samples->front().cause, Cause::unexpected_reply) << text;
        }
        co_await say("dev/a", R"({"w":1})");
        const auto samples = co_await read(*mqtt);
        EXPECT_EQ(samples->front().quality, Quality::missing);
    };
    run(body());
}

TEST_F(MqttDriverTest, PassesOverMessagesOfOtherDevices)
{
    map.sources = {"events"};
    map.main = "events";
    map.only = {{json_text::parse_pointer("/id"), "17"}};
    auto body = [&]() -> Task {
        const auto mqtt = driver();
        co_await attend("broker");
        co_await say("events", R"({"id":16,"v":1})");
        co_await say("events", R"({"id":17,"v":2})");
        const auto samples = co_await read(*mqtt);
        EXPECT_EQ(samples->front().raw, Value::float64(2));
    };
    run(body());
}

TEST_F(MqttDriverTest, KeepsTheNewestWhenNobodyReads)
{
    auto body = [&]() -> Task {
        const auto mqtt = driver();
        co_await attend("broker");
        constexpr auto more = static_cast<int>(MqttDriver::most_waiting) + 5;
        for (int i = 0; i < more; ++i) {
            co_await say("dev/a", "{\"v\":" + std::to_string(i) + "}");
        }
        const auto samples = co_await read(*mqtt);
        EXPECT_EQ(samples->front().raw, Value::float64(5));
    };
    run(body());
}

TEST_F(MqttDriverTest, ComesBackAfterTheBrokerWasAway)
{
    auto body = [&]() -> Task {
        const auto mqtt = driver();
        co_await attend("broker");
        broker.kill();
        const auto gone = co_await read(*mqtt);
        EXPECT_FALSE(gone);
        broker.start();
        device.reset();
        co_await attend("broker");
        co_await say("dev/a", R"({"v":3})");
        const auto samples = co_await read(*mqtt);
        EXPECT_EQ(samples->front().raw, Value::float64(3));
    };
    run(body());
}

TEST_F(MqttDriverTest, ASessionKeepsWhatIsSaidWhileTheBoxIsAway)
{
    auto body = [&](bool version_5) -> Task {
        mqtt5 = version_5;
        session = mqtt5 ? "box-5" : "box-3";
        auto mqtt = driver();
        co_await attend("broker");
        co_await say("dev/a", R"({"v":1})");
        EXPECT_EQ((co_await read(*mqtt))->front().raw, Value::float64(1));
        mqtt.reset();
        for (int i = 2; i < 5; ++i) {
            co_await say("dev/a", "{\"v\":" + std::to_string(i) + "}");
        }
        mqtt = driver();
        for (int i = 2; i < 5; ++i) {
            EXPECT_EQ((co_await read(*mqtt))->front().raw, Value::float64(i));
        }
    };
    run(body(false));
    run(body(true));
}

TEST_F(MqttDriverTest, LearnsWhoItIsFromWhatIsSaid)
{
    map.identity = {at("/serial")};
    map.identity[0].type = json_text::Type::text;
    auto body = [&]() -> Task {
        const auto mqtt = driver();
        co_await attend("broker");
        const auto before = co_await mqtt->identify();
        EXPECT_EQ(before.error(), Fault::not_found);
        co_await say("dev/a", R"({"v":3,"serial":"4711"})");
        EXPECT_TRUE(co_await read(*mqtt));
        const auto after = co_await mqtt->identify();
        EXPECT_TRUE(after);
        EXPECT_EQ((*after)[0], Value::of_text("4711"));
    };
    run(body());
}

}  // namespace
}  // namespace gateway::mqtt_json
