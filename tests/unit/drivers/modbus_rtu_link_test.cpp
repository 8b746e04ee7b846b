#include "drivers/modbus/client.hpp"
#include "drivers/modbus/driver.hpp"
#include "drivers/modbus/explain.hpp"
#include "gateway/runtime/deadline.hpp"
#include "gateway/runtime/task_group.hpp"
#include "tests/simulator/town.hpp"
#include "tests/support/loop.hpp"

#include <boost/asio/steady_timer.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

namespace gateway::modbus::modbus_rtu_link_test {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Rows = std::vector<std::uint16_t>;
using Numbers = std::vector<std::int64_t>;

enum class Way : std::uint8_t { serial, tcp };

/// RTU units on a pseudo terminal, or behind a converter in a TCP connection. In a scene, LINE
/// stands for the one or the other.
struct RtuLineTest : testing::TestWithParam<Way> {
    std::filesystem::path folder =
        std::filesystem::temp_directory_path() / ("rtu-" + std::to_string(::getpid()));
    std::string path = (folder / "line").string();
    asio::io_context io{1};
    Resolver resolver{io.get_executor()};
    Buses buses{io.get_executor(), resolver};
    std::unique_ptr<simulator::Town> town;
    Settings settings{.timeout = 200ms, .retries = 0};
    ExchangeLog exchanges;

    RtuLineTest() { std::filesystem::create_directories(folder); }
    ~RtuLineTest() override { std::filesystem::remove_all(folder); }

    void play(std::string scene)
    {
        const auto line =
            GetParam() == Way::serial ? "serial = \"" + path + "\"" : "framing = \"rtu\"";
        const std::string stands_for = "LINE";
        scene.replace(scene.find(stands_for), stands_for.size(), line);
        std::replace(scene.begin(), scene.end(), '\n', ' ');
        Mistakes mistakes;
        auto parsed = simulator::parse_scene(scene, "scene.toml", SOURCE_DIR, mistakes);
        if (!mistakes.empty()) {
            throw std::runtime_error(mistakes.text());
        }
        town = std::make_unique<simulator::Town>(io, std::move(parsed));
    }

    SettingTable connect(std::uint8_t unit) const
    {
        const auto set = [](auto value) { return Setting{.value = std::move(value), .place = {}}; };
        SettingTable table{{"unit", set(std::int64_t{unit})}};
        if (GetParam() == Way::serial) {
            table["serial"] = set(path);
            table["baud"] = set(std::int64_t{115'200});
            table["parity"] = set(std::string("even"));
        } else {
            table["rtu_over_tcp"] = set("127.0.0.1:" + std::to_string(town->port("a")));
        }
        return table;
    }

    /// Holding registers, one point each.
    ModbusDriver driver(const Rows& registers, std::uint8_t unit = 1)
    {
        Mistakes mistakes;
        auto client = make_client({.connect = connect(unit)}, settings, buses, mistakes);
        if (!client) {
            throw std::runtime_error(mistakes.text());
        }
        client->record_in(&exchanges);
        std::vector<Location> points;
        for (const auto first : registers) {
            points.push_back({.first = first, .encoding = {}});
        }
        return {std::move(client), Layout(std::move(points), {}), Layout({}, {})};
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

Numbers integers(const Result<Samples>& samples)
{
    Numbers numbers;
    for (const auto& sample : samples ? *samples : Samples{}) {
        numbers.push_back(sample.quality == Quality::good ? sample.raw.as_int64() : -1);
    }
    return numbers;
}

INSTANTIATE_TEST_SUITE_P(, RtuLineTest, testing::Values(Way::serial, Way::tcp),
                         [](const auto& way) {
                             return way.param == Way::serial ? "Serial" : "OverTcp";
                         });

TEST_P(RtuLineTest, ManyUnitsAnswerOnOneLine)
{
    play(R"(device = [{ id = "a", unit = 1, LINE, registers = { holding = { 0 = [1, 2] } } },
        { id = "b", behind = "a", unit = 2, registers = { holding = { 0 = [3, 4] } } }])");
    auto a = driver({0, 1}, 1);
    auto b = driver({0, 1}, 2);
    const Rows due{0, 1};
    std::optional<Result<Samples>> from_b;
    auto other = [&]() -> asio::awaitable<void> { from_b = co_await b.read(due); };
    TaskGroup tasks(io.get_executor());
    tasks.spawn("b", other());
    EXPECT_EQ(integers(read(a, due)), (Numbers{1, 2}));
    test::run_test(io, tasks.join());
    ASSERT_TRUE(from_b);
    EXPECT_EQ(integers(*from_b), (Numbers{3, 4}));
}

TEST_P(RtuLineTest, WhatWentOverTheWireIsKeptAndExplained)
{
    play(R"(device = [{ id = "a", LINE, registers = { holding = { 1 = [258] } }, fault = [
        { kind = "silent", first_request = 2, last_request = 2 },
        { kind = "exception", code = 2, first_request = 4, last_request = 4 },
        { kind = "bad_crc", first_request = 5, last_request = 5 }] }])");
    auto modbus = driver({1});  // request 3 only asks whether the silent one's answer still comes
    for (unsigned i = 0; i < 4; ++i) {
        read(modbus, {0});
    }
    std::vector<std::string> answers;
    exchanges.visit([&](const ExchangeLog::Exchange& exchange) {
        EXPECT_EQ(to_hex(exchange.sent.view()), "010300010001d5ca");
        EXPECT_EQ(explain_request(exchange, Profile(), {}), "asks unit 1 for holding 1");
        answers.push_back(to_hex(exchange.received.view()) + " " + explain_answer(exchange));
    });
    ASSERT_EQ(answers.size(), 4U);
    EXPECT_TRUE(answers[0].starts_with("0103020102") &&
                answers[0].find("answered in") != std::string::npos)
        << answers[0];
    EXPECT_TRUE(answers[1].starts_with(" no answer; given up after")) << answers[1];
    EXPECT_TRUE(answers[2].starts_with("018302c0f1 refused: exception 2, illegal data address"))
        << answers[2];
    EXPECT_NE(answers[3].find("wrong CRC at the end ("), std::string::npos) << answers[3];
}

TEST_P(RtuLineTest, AnAdapterThatHearsItselfIsUnderstood)
{
    play(R"(device = [{ id = "a", LINE, echo = true, registers = { holding = { 0 = [7] } } }])");
    auto modbus = driver({0});
    EXPECT_EQ(integers(read(modbus, {0})), (Numbers{7}));
    auto nobody = driver({0}, 2);
    EXPECT_EQ(read(nobody, {0}).error(), Fault::timed_out);
}

TEST_P(RtuLineTest, NoiseAroundAnAnswerIsPassedOver)
{
    play(R"(device = [{ id = "a", LINE, registers = { holding = { 0 = [7] } }, fault = [
        { kind = "noise_before", last_request = 1 }, { kind = "noise_after" }] }])");
    auto modbus = driver({0});
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(integers(read(modbus, {0})), (Numbers{7}));
    }
}

TEST_P(RtuLineTest, D1_ASilentUnitFailsAndItsNeighbourDoesNot)
{
    play(R"(device = [{ id = "a", unit = 1, LINE, fault = [{ kind = "silent" }] },
        { id = "b", behind = "a", unit = 2, registers = { holding = { 0 = [3] } } }])");
    auto a = driver({0}, 1);
    auto b = driver({0}, 2);
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(read(a, {0}).error(), Fault::timed_out);
        EXPECT_EQ(integers(read(b, {0})), (Numbers{3}));
    }
    EXPECT_EQ(town->served("a").requests, 4U);
}

TEST_P(RtuLineTest, D2_TheReasonIsExactAndTheNextReadIsGood)
{
    play(R"(device = [{ id = "a", LINE, registers = { holding = { 0 = [7] } }, fault = [
        { kind = "bad_crc", last_request = 1 },
        { kind = "short", first_request = 3, last_request = 3 },
        { kind = "wrong_unit", first_request = 5, last_request = 5 },
        { kind = "exception", code = 4, first_request = 8, last_request = 8 }] }])");
    auto modbus = driver({0});
    // After the answer of another unit this one's own may still come: there is a question between.
    for (const auto fault : {Fault::bad_checksum, Fault::short_frame, Fault::unexpected_reply}) {
        EXPECT_EQ(read(modbus, {0}).error(), fault);
        EXPECT_EQ(integers(read(modbus, {0})), (Numbers{7}));
    }
    const auto refused = read(modbus, {0});
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->front().cause, exception_cause(4));
    EXPECT_EQ(integers(read(modbus, {0})), (Numbers{7}));
}

TEST_P(RtuLineTest, ABrokenAnswerIsNotWaitedForToTheEnd)
{
    play(R"(device = [{ id = "a", LINE, fault = [{ kind = "bad_crc" }] }])");
    settings.timeout = 20s;
    auto modbus = driver({0});
    const auto started = std::chrono::steady_clock::now();
    EXPECT_EQ(read(modbus, {0}).error(), Fault::bad_checksum);
    EXPECT_LT(std::chrono::steady_clock::now() - started, 10s);
}

/// Register 0 counts its reads, register 100 is 700; the first answer is late by half a timeout.
const auto* const late_by_half_a_timeout = R"(device = [{ id = "a", LINE,
        profile = "tests/data/modbus/tokens.profile.toml",
        values = { first = { model = "reads" }, second = { model = "schedule", at = [[0, 700]] } },
        fault = [{ kind = "delay", delay = "300ms", last_request = 1 }] }])";

TEST_P(RtuLineTest, S44_ALateAnswerIsNeverTakenForTheNextQuestion)
{
    play(late_by_half_a_timeout);
    auto modbus = driver({0, 100});
    EXPECT_EQ(read(modbus, {0}).error(), Fault::timed_out);
    EXPECT_EQ(integers(read(modbus, {1})), (Numbers{700}));
}

TEST_P(RtuLineTest, S44_ALateAnswerIsNotTakenForTheSameQuestionAskedAgain)
{
    play(late_by_half_a_timeout);
    settings.retries = 1;
    auto modbus = driver({0, 100});
    EXPECT_EQ(integers(read(modbus, {0})), (Numbers{3}))
        << "1 came late and belongs to nobody, 2 told that it had";
}

TEST_P(RtuLineTest, S44_ALateAnswerOfOneUnitIsNotTakenForItsNeighbours)
{
    auto scene = std::string(late_by_half_a_timeout);
    scene.insert(scene.rfind(']'), R"(,
        { id = "b", behind = "a", unit = 2, registers = { holding = { 100 = [3] } } })");
    play(scene);
    auto a = driver({0}, 1);
    settings.timeout = 5s;
    auto b = driver({100}, 2);
    EXPECT_EQ(read(a, {0}).error(), Fault::timed_out);
    EXPECT_EQ(integers(read(b, {0})), (Numbers{3}));
}

TEST_P(RtuLineTest, S44_AnAnswerLaterThanThreeTimeoutsIsNotTakenForTheNextQuestion)
{
    auto scene = std::string(late_by_half_a_timeout);
    scene.replace(scene.find("300ms"), 5, "750ms");
    play(scene);
    auto modbus = driver({0, 100});
    EXPECT_EQ(read(modbus, {0}).error(), Fault::timed_out);
    Numbers got;
    for (int i = 0; i < 5 && got.empty(); ++i) {
        got = integers(read(modbus, {1}));
    }
    EXPECT_EQ(got, (Numbers{700}));
}

TEST_P(RtuLineTest, S44_AReadThatWasCutOffLeavesNothingForTheNext)
{
    play(late_by_half_a_timeout);
    auto modbus = driver({0, 100});
    const Rows due{0};
    auto cut = [&]() -> asio::awaitable<Result<Samples>> {
        co_return co_await with_deadline(modbus.read(due), 20ms);
    };
    EXPECT_EQ(run(cut()).error(), Fault::timed_out);
    EXPECT_EQ(integers(read(modbus, {1})), (Numbers{700}));
}

}  // namespace
}  // namespace gateway::modbus::modbus_rtu_link_test
