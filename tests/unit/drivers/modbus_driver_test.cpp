#include "drivers/modbus/driver.hpp"
#include "drivers/transport/buses.hpp"
#include "gateway/runtime/deadline.hpp"
#include "tests/simulator/town.hpp"
#include "tests/support/loop.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>

namespace gateway::modbus {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Rows = std::vector<std::uint16_t>;

Location holding(std::uint16_t first, Type type = Type::uint16)
{
    const auto words = words_of(type);
    return {.function = Function::holding_registers,
            .first = first,
            .count = words,
            .encoding = {.type = type, .words = words}};
}

Location object(std::uint16_t id)
{
    return {.function = Function::device_identification,
            .first = id,
            .count = static_cast<std::uint16_t>(id < 3 ? 1 : 2)};
}

std::vector<Location> holdings(std::uint16_t count)
{
    std::vector<Location> locations;
    for (std::uint16_t i = 0; i < count; ++i) {
        locations.push_back(holding(i));
    }
    return locations;
}

Rows rows(std::size_t count)
{
    Rows all(count);
    std::iota(all.begin(), all.end(), std::uint16_t{0});
    return all;
}

/// The driver over loopback against simulated devices on the same loop.
struct ModbusLine : testing::Test {
    asio::io_context io{1};
    Resolver resolver{io.get_executor()};
    Buses buses{io.get_executor(), resolver};
    std::unique_ptr<simulator::Town> town;
    Settings settings{.timeout = 100ms, .retries = 0};
    Limits limits;

    /// The scene is one inline table, which TOML wants on one line.
    void play(std::string scene)
    {
        std::replace(scene.begin(), scene.end(), '\n', ' ');
        Mistakes mistakes;
        auto parsed = simulator::parse_scene(scene, "scene.toml", SOURCE_DIR, mistakes);
        if (!mistakes.empty()) {
            throw std::runtime_error(mistakes.text());
        }
        town = std::make_unique<simulator::Town>(io, std::move(parsed));
    }

    ModbusDriver driver(std::string_view device, std::vector<Location> points,
                        std::uint8_t unit = 1, std::vector<Location> identity = {})
    {
        auto link = make_tcp_link(buses.tcp("127.0.0.1", town->port(device)), settings.timeout,
                                  settings.gap);
        return {std::make_shared<Client>(std::move(link), unit, settings.retries),
                Layout(std::move(points), limits), Layout(std::move(identity), limits)};
    }

    template <typename T>
    T run(asio::awaitable<T> task)
    {
        return test::outcome_of(io, std::move(task));
    }

    Result<Samples> read(ModbusDriver& modbus, const Rows& due) { return run(modbus.read(due)); }

    void TearDown() override
    {
        if (town) {
            test::run_test(io, town->stop());
        }
    }
};

std::vector<std::int64_t> integers(const Result<Samples>& samples)
{
    std::vector<std::int64_t> numbers;
    for (const auto& sample : samples ? *samples : Samples{}) {
        numbers.push_back(sample.quality == Quality::good ? sample.raw.as_int64() : -1);
    }
    return numbers;
}

using Numbers = std::vector<std::int64_t>;

TEST_F(ModbusLine, OneSamplePerDuePointInItsOrder)
{
    play(R"(device = [{ id = "a", registers = { holding = { 10 = [17254, 26214, 7, 8] } } }])");
    auto modbus = driver("a", {holding(12), holding(10, Type::float32), holding(13)});
    const auto samples = read(modbus, {0, 1});
    ASSERT_TRUE(samples) << samples.error().message();
    ASSERT_EQ(samples->size(), 2U);
    EXPECT_EQ((*samples)[0].row, 0);
    EXPECT_EQ((*samples)[0].raw, Value::integer(7));
    EXPECT_EQ((*samples)[1].row, 1);
    EXPECT_EQ((*samples)[1].raw, Value::float32(230.4F));
    EXPECT_EQ(town->served("a").requests, 1U);
    EXPECT_EQ(town->served("a").registers, 3U);
}

TEST_F(ModbusLine, CoilsAndInputsHaveTheirOwnTables)
{
    play(R"(device = [{ id = "a", registers = { coil = { 3 = [1, 0, 1] },
                        input = { 3 = [300] }, discrete = { 4 = [1] } } }])");
    const auto bit = [](Function function, std::uint16_t first) {
        return Location{.function = function, .first = first};
    };
    auto input = holding(3);
    input.function = Function::input_registers;
    auto modbus = driver("a", {bit(Function::coils, 3), bit(Function::coils, 4), input,
                               bit(Function::discrete_inputs, 4)});
    EXPECT_EQ(integers(read(modbus, rows(4))), (Numbers{1, 0, 300, 1}));
}

TEST_F(ModbusLine, D1_ASilentDeviceFailsAsAWholeInItsTime)
{
    play(R"(device = [{ id = "a", fault = [{ kind = "silent" }] }])");
    settings.retries = 2;
    auto modbus = driver("a", {holding(0)});
    const auto started = std::chrono::steady_clock::now();
    EXPECT_EQ(read(modbus, {0}).error(), Fault::timed_out);
    const auto took = std::chrono::steady_clock::now() - started;
    EXPECT_GE(took, 300ms);
    EXPECT_LT(took, 3s);
    EXPECT_EQ(town->served("a").requests, 3U);
    read(modbus, {0});
    EXPECT_EQ(town->served("a").requests, 4U) << "a silent device is asked once, without retries";
}

TEST_F(ModbusLine, ARetryMakesUpForOneLostAnswer)
{
    play(R"(device = [{ id = "a", registers = { holding = { 0 = [5] } },
                        fault = [{ kind = "silent", last_request = 1 }] }])");
    settings.retries = 1;
    auto modbus = driver("a", {holding(0)});
    EXPECT_EQ(integers(read(modbus, {0})), (Numbers{5}));
}

TEST_F(ModbusLine, AClosedConnectionIsOpenedAgain)
{
    play(R"(device = [{ id = "a", registers = { holding = { 0 = [5] } },
                        fault = [{ kind = "close", last_request = 1 }] }])");
    settings.retries = 1;
    auto modbus = driver("a", {holding(0)});
    EXPECT_EQ(integers(read(modbus, {0})), (Numbers{5}));
    EXPECT_EQ(town->connections(), 2U);
}

TEST_F(ModbusLine, AConnectionThatEndedWhileIdleCostsNoReading)
{
    play(R"(device = [{ id = "a", registers = { holding = { 0 = [5] } } }])");
    const auto port = town->port("a");
    auto modbus = driver("a", {holding(0)});
    EXPECT_EQ(integers(read(modbus, {0})), (Numbers{5}));
    TearDown();
    const auto scene = "device = [{ id = \"a\", listen = \"127.0.0.1:" + std::to_string(port) +
                       "\", registers = { holding = { 0 = [6] } } }]";
    town.reset();
    play(scene);
    EXPECT_EQ(integers(read(modbus, {0})), (Numbers{6}));
}

TEST_F(ModbusLine, WhereNobodyListensIsSaidAtOnce)
{
    play(R"(device = [{ id = "a" }])");
    auto modbus = driver("a", {holding(0)});
    TearDown();
    town.reset();
    settings.retries = 2;
    EXPECT_EQ(read(modbus, {0}).error(), asio::error::connection_refused);
}

TEST_F(ModbusLine, D2_OneBadRegisterDoesNotLoseTheOthers)
{
    play(R"(device = [{ id = "a", registers = { holding = { 0 = [10, 11, 12, 13, 14, 15, 16] } },
                        refuse = [{ address = 4 }] }])");
    auto modbus = driver("a", holdings(7));
    const auto samples = read(modbus, rows(7));
    EXPECT_EQ(integers(samples), (Numbers{10, 11, 12, 13, -1, 15, 16}));
    EXPECT_EQ((*samples)[4].quality, Quality::comm_error);
    EXPECT_EQ((*samples)[4].cause, exception_cause(2));
    const auto before = town->served("a").requests;
    EXPECT_EQ(integers(read(modbus, rows(7))), (Numbers{10, 11, 12, 13, -1, 15, 16}));
    EXPECT_EQ(town->served("a").requests - before, 3U) << "the split is remembered";
}

TEST_F(ModbusLine, ARegisterThatAnswersAgainIsMergedAgain)
{
    play(R"(device = [{ id = "a", registers = { holding = { 0 = [10, 11, 12] } },
                        fault = [{ kind = "exception", code = 2, last_request = 5 }] }])");
    auto modbus = driver("a", holdings(3));
    EXPECT_EQ(integers(read(modbus, rows(3))), (Numbers{-1, -1, -1}));  // 5 requests
    EXPECT_EQ(integers(read(modbus, rows(3))), (Numbers{10, 11, 12}));
    const auto before = town->served("a").requests;
    read(modbus, rows(3));
    EXPECT_EQ(town->served("a").requests - before, 1U);
}

TEST_F(ModbusLine, ARefusedGapIsNotReadOverAgain)
{
    play(R"(device = [{ id = "a", registers = { holding = { 0 = [10, 11], 5 = [15, 16] } },
                        refuse = [{ address = 3 }] }])");
    limits.max_gap = 10;
    auto modbus = driver("a", {holding(0), holding(1), holding(5), holding(6)});
    EXPECT_EQ(integers(read(modbus, rows(4))), (Numbers{10, 11, 15, 16}));
    const auto before = town->served("a").requests;
    EXPECT_EQ(integers(read(modbus, rows(4))), (Numbers{10, 11, 15, 16}));
    EXPECT_EQ(town->served("a").requests - before, 2U);
}

TEST_F(ModbusLine, ABusyDeviceIsAskedAgain)
{
    play(R"(device = [{ id = "a", registers = { holding = { 0 = [5] } },
                        fault = [{ kind = "exception", code = 6, last_request = 1 }] }])");
    settings.retries = 1;
    auto modbus = driver("a", {holding(0)});
    EXPECT_EQ(integers(read(modbus, {0})), (Numbers{5}));
}

TEST_F(ModbusLine, UnitsBehindOneGatewayShareItsConnection)
{
    play(R"(device = [
        { id = "a", unit = 1, registers = { holding = { 0 = [1, 0, 0, 0, 2] } } },
        { id = "b", behind = "a", unit = 2, registers = { holding = { 0 = [3, 0, 0, 0, 4] } } }])");
    auto a = driver("a", {holding(0), holding(4)}, 1);
    auto b = driver("b", {holding(0), holding(4)}, 2);
    const auto due = rows(2);
    std::optional<Result<Samples>> from_b;
    auto other = [&]() -> asio::awaitable<void> { from_b = co_await b.read(due); };
    TaskGroup tasks(io.get_executor());
    tasks.spawn("b", other());
    EXPECT_EQ(integers(read(a, due)), (Numbers{1, 2}));
    test::run_test(io, tasks.join());
    ASSERT_TRUE(from_b);
    EXPECT_EQ(integers(*from_b), (Numbers{3, 4}));
    EXPECT_EQ(town->connections(), 1U);
}

TEST_F(ModbusLine, ASilentUnitDoesNotCostItsNeighbourTheConnection)
{
    play(R"(device = [
        { id = "a", unit = 1, registers = { holding = { 0 = [1] } } },
        { id = "b", behind = "a", unit = 2, fault = [{ kind = "silent" }] }])");
    settings.timeout = 5s;
    auto a = driver("a", {holding(0)}, 1);
    settings.timeout = 20ms;
    auto b = driver("b", {holding(0)}, 2);
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(read(b, {0}).error(), Fault::timed_out);
        EXPECT_EQ(integers(read(a, {0})), (Numbers{1}));
    }
    EXPECT_EQ(town->connections(), 1U);
}

TEST_F(ModbusLine, WhenNobodyAnswersTheConnectionIsOpenedAgain)
{
    play(R"(device = [{ id = "a", fault = [{ kind = "silent" }] }])");
    settings.timeout = 20ms;
    auto modbus = driver("a", {holding(0)});
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(read(modbus, {0}).error(), Fault::timed_out);
    }
    EXPECT_EQ(town->connections(), 2U);
}

TEST_F(ModbusLine, AGatewayThatMissesItsUnitMeansASilentUnit)
{
    play(R"(device = [{ id = "a", unit = 1 }])");
    auto modbus = driver("a", {holding(0)}, 9);
    EXPECT_EQ(read(modbus, {0}).error(), Fault::timed_out);
}

// Both registers count how often they were read, so an answer names the request it belongs to.
constexpr auto late_by_half_a_timeout = R"(
    device = [{ id = "a", profile = "tests/data/modbus/tokens.profile.toml",
                values = { first = { model = "reads" }, second = { model = "schedule",
                           at = [[0, 700]] } },
                fault = [{ kind = "delay", delay = "150ms", last_request = 1 }] }])";

TEST_F(ModbusLine, S44_ALateAnswerIsNeverTakenForTheNextQuestion)
{
    play(late_by_half_a_timeout);
    auto modbus = driver("a", {holding(0), holding(100)});
    EXPECT_EQ(read(modbus, {0}).error(), Fault::timed_out);
    EXPECT_EQ(integers(read(modbus, {1})), (Numbers{700}));
    EXPECT_EQ(town->connections(), 1U) << "told apart on the same connection";
}

TEST_F(ModbusLine, S44_ALateAnswerIsNotTakenForTheSameQuestionAskedAgain)
{
    play(late_by_half_a_timeout);
    settings.retries = 1;
    auto modbus = driver("a", {holding(0), holding(100)});
    EXPECT_EQ(integers(read(modbus, {0})), (Numbers{2})) << "1 came late and belongs to nobody";
}

TEST_F(ModbusLine, S44_ALateAnswerIsDrainedBeforeTheNextTurn)
{
    play(late_by_half_a_timeout);
    auto modbus = driver("a", {holding(0), holding(100)});
    EXPECT_EQ(read(modbus, {0}).error(), Fault::timed_out);
    auto wait = [&]() -> asio::awaitable<int> {
        asio::steady_timer timer(io, 120ms);
        co_await timer.async_wait(asio::use_awaitable);
        co_return 0;
    };
    run(wait());  // it has arrived by now
    EXPECT_EQ(integers(read(modbus, {0})), (Numbers{2}));
    EXPECT_EQ(town->connections(), 1U);
}

TEST_F(ModbusLine, D2_AShortFrameIsSaidAndTheNextReadIsGood)
{
    play(R"(device = [{ id = "a", registers = { holding = { 0 = [5] } },
                        fault = [{ kind = "short", last_request = 1 }] }])");
    auto modbus = driver("a", {holding(0)});
    EXPECT_EQ(read(modbus, {0}).error(), Fault::short_frame);
    EXPECT_EQ(integers(read(modbus, {0})), (Numbers{5}));
}

TEST_F(ModbusLine, D2_AnAnswerToAnotherQuestionIsNoAnswer)
{
    play(R"(device = [{ id = "a", registers = { holding = { 0 = [5] } },
                        fault = [{ kind = "wrong_transaction", last_request = 1 }] }])");
    auto modbus = driver("a", {holding(0)});
    EXPECT_EQ(read(modbus, {0}).error(), Fault::timed_out);
    EXPECT_EQ(integers(read(modbus, {0})), (Numbers{5}));
}

TEST_F(ModbusLine, ASilentRequestFailsOnlyItsOwnPoints)
{
    play(R"(device = [{ id = "a", registers = { holding = { 0 = [1], 10 = [2], 20 = [3] } },
                        fault = [{ kind = "silent", first_request = 2, last_request = 2 }] }])");
    auto modbus = driver("a", {holding(0), holding(10), holding(20)});
    const auto samples = read(modbus, rows(3));
    EXPECT_EQ(integers(samples), (Numbers{1, -1, 3}));
    EXPECT_EQ((*samples)[1].cause, Cause::timeout);
}

TEST_F(ModbusLine, ADeviceThatDiesInTheMiddleIsNotAskedToTheEnd)
{
    play(R"(device = [{ id = "a", registers = { holding = { 0 = [1] } },
                        fault = [{ kind = "silent", first_request = 2 }] }])");
    auto modbus = driver("a", {holding(0), holding(10), holding(20), holding(30), holding(40)});
    const auto samples = read(modbus, rows(5));
    EXPECT_EQ(integers(samples), (Numbers{1, -1, -1, -1, -1}));
    EXPECT_EQ((*samples)[4].cause, Cause::timeout);
    EXPECT_EQ(town->served("a").requests, 3U);
}

TEST_F(ModbusLine, ACancelledReadLeavesTheBusToOthers)
{
    play(R"(device = [
        { id = "a", unit = 1, fault = [{ kind = "delay", delay = "60ms" }] },
        { id = "b", behind = "a", unit = 2, registers = { holding = { 0 = [7] } } }])");
    auto a = driver("a", {holding(0)}, 1);
    auto b = driver("b", {holding(0)}, 2);
    const Rows due{0};
    auto cut = [&]() -> asio::awaitable<Result<Samples>> {
        co_return co_await with_deadline(a.read(due), 20ms);
    };
    EXPECT_EQ(run(cut()).error(), Fault::timed_out);
    EXPECT_EQ(integers(read(b, {0})), (Numbers{7}));
}

TEST_F(ModbusLine, ADeviceSaysWhoItIs)
{
    play(R"(device = [{ id = "a", objects = { 0 = "Schneider Electric", 1 = "iEM3155", 2 = "1.4" },
                        registers = { holding = { 129 = [264, 29818] } } }])");
    auto modbus = driver("a", {}, 1, {object(0), object(1), object(5), holding(129, Type::uint32)});
    const auto identity = run(modbus.identify());
    ASSERT_TRUE(identity) << identity.error().message();
    ASSERT_EQ(identity->size(), 4U);
    EXPECT_EQ((*identity)[0], Value::of_text("Schneider Electric"));
    EXPECT_EQ((*identity)[1], Value::of_text("iEM3155"));
    EXPECT_EQ((*identity)[2], std::nullopt) << "the device does not have it";
    EXPECT_EQ((*identity)[3], Value::integer(17331322));
}

TEST_F(ModbusLine, AnIdentificationInPartsIsAskedToTheEnd)
{
    const std::string longest(120, 'x');
    play("device = [{ id = \"a\", objects = { 0 = \"" + longest + "\", 1 = \"" + longest +
         "\", 2 = \"1.4\" } }]");
    auto modbus = driver("a", {}, 1, {object(0), object(2)});
    const auto identity = run(modbus.identify());
    ASSERT_TRUE(identity) << identity.error().message();
    EXPECT_EQ((*identity)[1], Value::of_text("1.4"));
    EXPECT_EQ(town->served("a").requests, 2U);
}

TEST_F(ModbusLine, ADeviceWithoutIdentificationHasNone)
{
    play(R"(device = [{ id = "a" }])");
    auto modbus = driver("a", {}, 1, {object(0)});
    const auto identity = run(modbus.identify());
    ASSERT_TRUE(identity) << identity.error().message();
    EXPECT_EQ((*identity)[0], std::nullopt);
}

TEST_F(ModbusLine, TheLineIsLeftSilentBetweenRequests)
{
    play(R"(device = [{ id = "a", registers = { holding = { 0 = [1], 9 = [2] } } }])");
    settings.gap = 40ms;
    auto modbus = driver("a", {holding(0), holding(9)});
    const auto started = std::chrono::steady_clock::now();
    EXPECT_EQ(integers(read(modbus, rows(2))), (Numbers{1, 2}));
    EXPECT_GE(std::chrono::steady_clock::now() - started, 40ms);
}

}  // namespace
}  // namespace gateway::modbus
