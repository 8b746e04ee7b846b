#include "gateway/admin/control.hpp"
#include "tests/support/server_test.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <boost/asio.hpp>

#include <fstream>

namespace asio = boost::asio;
using namespace gateway;

namespace {

struct Control : test::ServerTest<ControlServer> {
    void serve(ControlHandler handler) { start(path, std::move(handler)); }

    std::vector<std::string> answers(const json::object& request)
    {
        std::vector<std::string> lines;
        auto keep = [&lines](const json::object& line) {
            lines.push_back(json::serialize(line));
            return true;
        };
        const auto asked = ask(path, request, keep);
        EXPECT_TRUE(asked) << asked.error().message();
        return lines;
    }
};

asio::awaitable<void> echo_twice(json::object request, Reply& reply)
{
    co_await reply.send(request);
    co_await reply.send(std::move(request));
}

asio::awaitable<void> until_the_caller_goes(json::object request, Reply& reply)
{
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer pause(executor);
    while (co_await reply.send(request)) {
        pause.expires_after(std::chrono::milliseconds(1));
        co_await pause.async_wait(asio::use_awaitable);
    }
}

TEST_F(Control, AnswersARequestLineByLine)
{
    serve(echo_twice);
    const std::vector<std::string> expected(2, R"({"command":"status"})");
    EXPECT_EQ(answers({{"command", "status"}}), expected);
}

TEST_F(Control, OnlyOwnerAndGroupMayAsk)
{
    serve(echo_twice);
    struct stat info {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0660U);
}

TEST_F(Control, RefusesWhatIsNotAnObjectAndGoesOn)
{
    serve(echo_twice);
    asio::io_context other;
    asio::local::stream_protocol::socket socket(other);
    socket.connect(asio::local::stream_protocol::endpoint(path));
    asio::write(socket, asio::buffer(std::string("[1,2]\n")));
    std::string text;
    boost::system::error_code error;
    asio::read(socket, asio::dynamic_buffer(text), error);
    EXPECT_NE(text.find("one JSON object"), std::string::npos) << text;
    EXPECT_EQ(answers({{"command", "x"}}).size(), 2U);
}

TEST_F(Control, ReplacesTheSocketOfADeadProcess)
{
    std::ofstream(path) << "left over";
    serve(echo_twice);
    EXPECT_EQ(answers({{"command", "x"}}).size(), 2U);
}

TEST_F(Control, WithNoServiceItSaysNotFound)
{
    auto never = [](const json::object&) { return true; };
    EXPECT_EQ(ask(path, {}, never).error(), Fault::not_found);
}

TEST_F(Control, AStopEndsAStreamingCaller)
{
    serve(until_the_caller_goes);
    int seen = 0;
    auto count = [&](const json::object&) {
        if (++seen == 3) {
            stop();
        }
        return true;
    };
    EXPECT_TRUE(ask(path, {{"command", "tail"}}, count));
    EXPECT_GE(seen, 3);
}

}  // namespace
