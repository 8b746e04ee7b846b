#include "gateway/uplink/commands.hpp"

#include "gateway/runtime/system_clock.hpp"
#include "tests/support/loop.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace gateway {
namespace {

namespace asio = boost::asio;

std::string command(const std::string& id, const std::string& name,
                    const std::string& expires = "2100-01-01T00:00:00Z")
{
    return R"({"schema":"smartstate.command/1","id":")" + id + R"(","expires":")" + expires +
           R"(","command":")" + name + R"(","arguments":{"device":"meter"}})";
}

/// The time of day is known and never moves.
class SteadyWall final : public Clock {
public:
    Instant now() const override { return {}; }
    ClockReading wall() const override
    {
        return {WallTime(std::chrono::milliseconds(1'785'578'400'000)), ClockState::synced, 1};
    }
    asio::awaitable<void> sleep_until(Instant) override { co_return; }
};

class PlatformCommands : public testing::Test {
protected:
    asio::awaitable<Answer> count(json::object arguments)
    {
        ++done;
        Answer answer;
        answer.text = text_of(arguments, "device");
        co_return answer;
    }
    void run()
    {
        loop.run();
        loop.restart();
    }

    asio::io_context loop;
    SteadyWall clock;
    int done = 0;
    std::vector<std::string> answers;
    Commands commands{
        loop.get_executor(),
        clock,
        {{"read", [this](json::object arguments) { return count(std::move(arguments)); }}},
        [this](const std::string& text) { answers.push_back(text); }};
};

TEST_F(PlatformCommands, AreDoneAndAnswered)
{
    commands.received(command("a", "read"));
    run();
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(
        answers[0],
        R"({"schema":"smartstate.answer/1","id":"a","state":"done","text":"meter","result":{}})");
}

TEST_F(PlatformCommands, TheSameIdTwiceIsDoneOnceAndAnsweredTheSame)
{
    commands.received(command("a", "read"));
    run();
    commands.received(command("a", "read"));
    run();
    EXPECT_EQ(done, 1);
    ASSERT_EQ(answers.size(), 2U);
    EXPECT_EQ(answers[0], answers[1]);
}

TEST_F(PlatformCommands, AnExpiredOneIsNotDone)
{
    commands.received(command("a", "read", "2026-08-01T09:59:59Z"));
    run();
    EXPECT_EQ(done, 0);
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_NE(answers[0].find(R"("state":"failed")"), std::string::npos);
}

TEST_F(PlatformCommands, AnUnknownOneIsAnsweredSo)
{
    commands.received(command("a", "dance"));
    run();
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_NE(answers[0].find("does not know the command dance"), std::string::npos);
}

TEST_F(PlatformCommands, WhatIsNoCommandIsCountedAndNotAnswered)
{
    const auto good = command("a", "read");
    for (std::size_t size = 0; size < good.size(); ++size) {
        commands.received(std::string_view(good).substr(0, size));
    }
    commands.received(command("", "read"));
    commands.received(command(std::string(65, 'x'), "read"));
    commands.received(command("b", "read", "tomorrow"));
    run();
    EXPECT_EQ(done, 0);
    EXPECT_TRUE(answers.empty());
    EXPECT_EQ(commands.refused(), good.size() + 3);
}

TEST_F(PlatformCommands, IdsAreRememberedWithinABound)
{
    for (int at = 0; at < 1'000; ++at) {
        commands.received(command("id" + std::to_string(at), "read"));
        run();
    }
    EXPECT_EQ(done, 1'000);
    commands.received(command("id999", "read"));
    run();
    EXPECT_EQ(done, 1'000);
}

}  // namespace
}  // namespace gateway
