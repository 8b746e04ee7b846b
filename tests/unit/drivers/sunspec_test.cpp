#include "drivers/sunspec/chain.hpp"
#include "drivers/sunspec/driver.hpp"
#include "drivers/sunspec/map.hpp"
#include "drivers/sunspec/value.hpp"
#include "tests/simulator/town.hpp"
#include "tests/support/loop.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>

namespace gateway::sunspec {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Rows = std::vector<std::uint16_t>;

Bytes words(std::initializer_list<unsigned> numbers)
{
    Bytes bytes;
    for (const auto number : numbers) {
        bytes.push_back(static_cast<std::uint8_t>(number >> 8));
        bytes.push_back(static_cast<std::uint8_t>(number));
    }
    return bytes;
}

TEST(SunspecChain, EndsAtTheMarker)
{
    Chain chain(40'000);
    EXPECT_EQ(chain.next_header(), 40'002);
    ASSERT_TRUE(chain.take(words({1, 66})));
    EXPECT_EQ(chain.next_header(), 40'070);
    ASSERT_TRUE(chain.take(words({103, 50})));
    ASSERT_TRUE(chain.take(words({0xFFFF, 0})));
    EXPECT_EQ(chain.next_header(), std::nullopt);
    ASSERT_EQ(chain.models().size(), 2U);
    EXPECT_EQ(chain.models()[1].id, 103);
    EXPECT_EQ(chain.models()[1].first, 40'072);
    EXPECT_EQ(chain.models()[1].length, 50);
}

TEST(SunspecChain, EndsWhateverTheDeviceSays)
{
    Chain empty(0);
    for (std::size_t i = 0; empty.next_header(); ++i) {
        ASSERT_LE(i, Chain::most_models);
        ASSERT_TRUE(empty.take(words({7, 0})));
    }
    Chain endless(50'000);
    EXPECT_EQ(endless.take(words({7, 0xFFFF})).error(), Fault::malformed);
    EXPECT_EQ(endless.next_header(), std::nullopt);
    EXPECT_EQ(Chain(0).take(words({7})).error(), Fault::short_frame);
    EXPECT_EQ(Chain(65'535).next_header(), std::nullopt);
}

TEST(SunspecChain, AnInstanceIsCountedInTheChain)
{
    const std::vector<Model> models{
        {.id = 1, .first = 2}, {.id = 203, .first = 4}, {.id = 203, .first = 6}};
    EXPECT_EQ(find(models, 203, 2)->first, 6);
    EXPECT_EQ(find(models, 203, 3), nullptr);
    EXPECT_EQ(find(models, 103, 1), nullptr);
}

Sample seen(Type type, Value raw)
{
    Sample sample{.raw = std::move(raw), .device_time = {}};
    interpret(type, sample);
    return sample;
}

TEST(SunspecValue, WhatIsNotImplementedIsMissing)
{
    EXPECT_EQ(seen(Type::int16, Value::integer(-32'768)).quality, Quality::missing);
    EXPECT_EQ(seen(Type::uint16, Value::integer(0xFFFF)).quality, Quality::missing);
    EXPECT_EQ(seen(Type::uint32, Value::integer(0xFFFF'FFFF)).quality, Quality::missing);
    EXPECT_EQ(seen(Type::int32, Value::integer(std::numeric_limits<std::int32_t>::min())).quality,
              Quality::missing);
    EXPECT_EQ(seen(Type::uint64, Value::unsigned_integer(~0ULL)).quality, Quality::missing);
    EXPECT_EQ(seen(Type::acc32, Value::integer(0)).quality, Quality::missing);
    EXPECT_EQ(seen(Type::enum16, Value::integer(0xFFFF)).quality, Quality::missing);
    EXPECT_EQ(seen(Type::text, Value::of_text("")).quality, Quality::missing);
    EXPECT_EQ(seen(Type::float32, Value::from_bits(Kind::float32, 0x7FC0'0000)).quality,
              Quality::missing);
    EXPECT_EQ(seen(Type::int16, Value::integer(-1)).quality, Quality::good);
    EXPECT_EQ(seen(Type::uint16, Value::integer(0)).quality, Quality::good);
    EXPECT_EQ(seen(Type::text, Value::of_text("SMA")).quality, Quality::good);
}

Value scaled_by(std::int64_t factor, Value raw)
{
    Sample sample{.raw = std::move(raw), .device_time = {}};
    apply_factor({.raw = Value::integer(factor), .device_time = {}}, sample);
    return sample.quality == Quality::good ? sample.raw : Value();
}

TEST(SunspecValue, AScaleFactorIsAPowerOfTen)
{
    EXPECT_EQ(scaled_by(0, Value::integer(1234)), Value::integer(1234));
    EXPECT_EQ(scaled_by(3, Value::integer(-12)), Value::integer(-12'000));
    EXPECT_EQ(scaled_by(-1, Value::integer(2304)), Value::float64(230.4));
    EXPECT_EQ(scaled_by(-2, Value::integer(6001)), Value::float64(60.01));
    EXPECT_EQ(scaled_by(10, Value::integer(4'000'000'000)), Value::float64(4e19));
    EXPECT_EQ(scaled_by(11, Value::integer(1)), Value());
    EXPECT_EQ(scaled_by(-32'768, Value::integer(1)), Value()) << "not implemented";
}

TEST(SunspecValue, ANumberWithoutItsFactorIsNotTheNumber)
{
    Sample sample{.raw = Value::integer(5), .device_time = {}};
    apply_factor({.quality = Quality::missing, .device_time = {}}, sample);
    EXPECT_EQ(sample.quality, Quality::bad);
    EXPECT_EQ(sample.cause, Cause::dependency);
}

/// A device with the common model, an inverter, and a tracker model of two trackers.
struct SunspecDevice : testing::Test {
    asio::io_context io{1};
    Resolver resolver{io.get_executor()};
    Buses buses{io.get_executor(), resolver};
    std::unique_ptr<simulator::Town> town;
    Map map{.bases = {40'000, 50'000, 0}};

    /// Holding registers from a base on; what is not there is refused.
    void play(unsigned base, const std::string& registers, unsigned count)
    {
        const auto refuse_from = base + count;
        std::string scene = R"(device = [{ id = "a", registers = { holding = { )" +
                            std::to_string(base) + " = [" + registers + "] } }, refuse = [";
        if (base > 0) {
            scene += "{ address = 0, count = " + std::to_string(base) + " }, ";
        }
        scene += "{ address = " + std::to_string(refuse_from) +
                 ", count = " + std::to_string(65'536 - refuse_from) + " }] }]";
        Mistakes mistakes;
        auto parsed = simulator::parse_scene(scene, "scene.toml", SOURCE_DIR, mistakes);
        if (!mistakes.empty()) {
            throw std::runtime_error(mistakes.text());
        }
        town = std::make_unique<simulator::Town>(io, std::move(parsed));
    }

    std::unique_ptr<SunspecDriver> driver()
    {
        auto link = modbus::make_tcp_link(buses.tcp("127.0.0.1", town->port("a")), 200ms, 0ms);
        map.limits = {.max_words = 125, .max_gap = 125};
        return std::make_unique<SunspecDriver>(
            std::make_shared<modbus::Client>(std::move(link), std::uint8_t{1}, 0U), map);
    }

    template <typename T>
    T run(asio::awaitable<T> task)
    {
        return test::outcome_of(io, std::move(task));
    }
    Result<Samples> read(SunspecDriver& sunspec, const Rows& due) { return run(sunspec.read(due)); }

    void TearDown() override
    {
        if (town) {
            test::run_test(io, town->stop());
        }
    }
};

// "SunS"; model 1 of 4 registers, "SMA"; model 103 cut to 4: power, its factor, energy; model 160
// with one fixed register, the factor, and two groups of two: current, not implemented; end.
const std::string chain =
    "21365, 28243, 1, 4, 21325, 16640, 0, 0, 103, 4, 1500, 65535, 0, 4464, "
    "160, 5, 65534, 1234, 0, 65535, 0, 65535, 0";
constexpr unsigned chain_words = 23;

Wanted power()
{
    return {.model = 103, .offset = 0, .type = Type::int16, .factor = 1};
}

Wanted tracker_current(std::uint16_t repeat)
{
    return {.model = 160,
            .group = Group{.first = 1, .size = 2, .repeat = repeat},
            .offset = 0,
            .type = Type::uint16,
            .factor = 0};
}

TEST_F(SunspecDevice, FindsItsModelsAtAnyBase)
{
    for (const unsigned base : {40'000U, 50'000U, 0U}) {
        play(base, chain, chain_words);
        map.points = {power(), {.model = 103, .offset = 2, .words = 2, .type = Type::uint32}};
        const auto sunspec = driver();
        const auto samples = read(*sunspec, {0, 1});
        ASSERT_TRUE(samples) << samples.error().message();
        EXPECT_EQ((*samples)[0].raw, Value::float64(150)) << base;
        EXPECT_EQ((*samples)[1].raw, Value::integer(4464));
        test::run_test(io, town->stop());
        town.reset();
    }
}

TEST_F(SunspecDevice, AGroupIsFoundByItsNumberAndScaledFromOutside)
{
    play(40'000, chain, chain_words);
    map.points = {tracker_current(1), tracker_current(2), tracker_current(3)};
    const auto sunspec = driver();
    const auto samples = read(*sunspec, {0, 1, 2});
    ASSERT_TRUE(samples) << samples.error().message();
    EXPECT_EQ((*samples)[0].raw, Value::float64(12.34));
    EXPECT_EQ((*samples)[1].quality, Quality::missing) << "not implemented";
    EXPECT_EQ((*samples)[2].quality, Quality::missing) << "the device has two groups";
}

TEST_F(SunspecDevice, AModelThatIsNotThereIsMissing)
{
    play(40'000, chain, chain_words);
    map.points = {{.model = 203, .offset = 0}, power()};
    const auto sunspec = driver();
    const auto samples = read(*sunspec, {0, 1});
    ASSERT_TRUE(samples) << samples.error().message();
    EXPECT_EQ((*samples)[0].quality, Quality::missing);
    EXPECT_EQ((*samples)[1].quality, Quality::good);
}

TEST_F(SunspecDevice, OneRequestReadsWhatIsNearAndTheModelsAreRemembered)
{
    play(40'000, chain, chain_words);
    map.points = {power(), tracker_current(1)};
    const auto sunspec = driver();
    ASSERT_TRUE(read(*sunspec, {0, 1}));
    const auto before = town->served("a").requests;
    ASSERT_TRUE(read(*sunspec, {0, 1}));
    EXPECT_EQ(town->served("a").requests - before, 1U);
}

TEST_F(SunspecDevice, SaysWhoItIs)
{
    play(40'000, chain, chain_words);
    map.identity = {{.model = 1, .offset = 0, .words = 4, .type = Type::text},
                    {.model = 2, .offset = 0, .words = 4, .type = Type::text}};
    const auto sunspec = driver();
    const auto identity = run(sunspec->identify());
    ASSERT_TRUE(identity) << identity.error().message();
    ASSERT_EQ(identity->size(), 2U);
    EXPECT_EQ((*identity)[0], Value::of_text("SMA"));
    EXPECT_EQ((*identity)[1], std::nullopt);
}

TEST_F(SunspecDevice, ADeviceWithoutTheMarkerIsRefused)
{
    play(40'000, "1, 2, 3, 4", 4);
    map.points = {power()};
    const auto sunspec = driver();
    EXPECT_EQ(read(*sunspec, {0}).error(), Fault::unexpected_reply);
}

TEST_F(SunspecDevice, D1_ADeadDeviceIsNotLookedForAtEveryBase)
{
    Mistakes mistakes;
    auto scene = simulator::parse_scene(R"(device = [{ id = "a", fault = [{ kind = "silent" }] }])",
                                        "scene.toml", SOURCE_DIR, mistakes);
    town = std::make_unique<simulator::Town>(io, std::move(scene));
    map.points = {power()};
    const auto sunspec = driver();
    EXPECT_EQ(read(*sunspec, {0}).error(), Fault::timed_out);
    EXPECT_EQ(town->served("a").requests, 2U);
}

}  // namespace
}  // namespace gateway::sunspec
