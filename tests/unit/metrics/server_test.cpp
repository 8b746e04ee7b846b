#include "gateway/metrics/server.hpp"
#include "tests/support/free_port.hpp"
#include "tests/support/server_test.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <boost/asio.hpp>

#include <filesystem>
#include <fstream>

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace gateway;

namespace {

constexpr std::size_t large = 8U << 20U;  // no socket's buffer takes so much

struct Figures : test::ServerTest<MetricsServer> {
    asio::awaitable<std::string> page(MetricsFormat format)
    {
        ++pages;
        if (size > 0) {
            co_return std::string(size, 'x');
        }
        co_return format == MetricsFormat::plain ? "plain\n" : "open\n";
    }

    void serve(const std::string& where)
    {
        start(where, [this](MetricsFormat format) { return page(format); });
    }

    asio::local::stream_protocol::socket connect()
    {
        asio::local::stream_protocol::socket socket(callers);
        socket.connect(asio::local::stream_protocol::endpoint(path));
        return socket;
    }

    /// What comes back until the server closes.
    std::string answer(const std::string& request)
    {
        auto socket = connect();
        boost::system::error_code error;
        asio::write(socket, asio::buffer(request), error);
        return rest_of(socket);
    }

    template <typename Socket>
    static std::string rest_of(Socket& socket)
    {
        std::string text;
        boost::system::error_code error;
        asio::read(socket, asio::dynamic_buffer(text), error);
        return text;
    }

    std::string get(const std::string& target, const std::string& more = {})
    {
        return answer("GET " + target + " HTTP/1.1\r\nHost: box\r\n" + more + "\r\n");
    }

    asio::io_context callers;
    std::size_t size = 0;
    int pages = 0;
};

bool has(const std::string& text, std::string_view part)
{
    return text.find(part) != std::string::npos;
}

TEST_F(Figures, AreOpenMetricsUnlessTheOlderTextIsAskedFor)
{
    serve(path);
    const auto open = get("/metrics");
    EXPECT_TRUE(has(open, "HTTP/1.1 200 OK\r\n")) << open;
    EXPECT_TRUE(has(open, "application/openmetrics-text; version=1.0.0; charset=utf-8")) << open;
    EXPECT_TRUE(has(open, "Connection: close\r\n")) << open;
    EXPECT_TRUE(open.ends_with("\r\n\r\nopen\n")) << open;
    EXPECT_TRUE(get("/metrics?x=1", "Accept: */*\r\n").ends_with("open\n"));
    EXPECT_TRUE(get("/metrics",
                    "Accept: application/openmetrics-text;version=1.0.0,"
                    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\n")
                    .ends_with("open\n"));
    const auto plain = get("/metrics", "Accept: text/plain\r\n");
    EXPECT_TRUE(has(plain, "text/plain; version=0.0.4")) << plain;
    EXPECT_TRUE(plain.ends_with("plain\n")) << plain;
}

TEST_F(Figures, AreNowhereElseAndOnlyRead)
{
    serve(path);
    EXPECT_TRUE(has(get("/"), "404")) << get("/");
    const auto post = answer("POST /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n");
    EXPECT_TRUE(has(post, "405")) << post;
    EXPECT_TRUE(has(post, "Allow: GET\r\n")) << post;
    EXPECT_EQ(pages, 0);
}

TEST_F(Figures, WhatIsNoRequestOrTooLargeIsRefusedAndTheNextIsAnswered)
{
    serve(path);
    EXPECT_TRUE(has(answer("what?\r\n\r\n"), "400"));
    EXPECT_TRUE(has(answer(std::string("GET /metrics HTTP/1.1\r\nX: \0\r\n\r\n", 31)), "400"));
    const auto endless = get("/metrics", "X: " + std::string(20'000, 'x') + "\r\n");
    EXPECT_FALSE(has(endless, "200")) << endless;
    EXPECT_EQ(pages, 0);
    EXPECT_TRUE(get("/metrics").ends_with("open\n"));
}

TEST_F(Figures, ACallerWhoGoesOrDoesNotReadHarmsNobody)
{
    size = large;
    serve(path);
    const std::string request = "GET /metrics HTTP/1.1\r\n\r\n";
    std::vector<asio::local::stream_protocol::socket> slow;
    for (int i = 0; i < 3; ++i) {
        slow.push_back(connect());
        asio::write(slow.back(), asio::buffer(request));
    }
    connect().close();
    asio::write(slow.front(), asio::buffer(std::string("GET")));
    const auto whole = get("/metrics");
    EXPECT_GT(whole.size(), large);
}

TEST_F(Figures, MoreCallersThanFourWaitTheirTurn)
{
    serve(path);
    std::vector<asio::local::stream_protocol::socket> idle;
    idle.reserve(4);
    for (int i = 0; i < 4; ++i) {
        idle.push_back(connect());
    }
    auto fifth = connect();
    asio::write(fifth, asio::buffer(std::string("GET /metrics HTTP/1.1\r\n\r\n")));
    idle.front().close();  // nothing else makes room before the test's own limit
    EXPECT_TRUE(rest_of(fifth).ends_with("open\n"));
}

TEST_F(Figures, AStopEndsCallersWhoAreBeingServed)
{
    serve(path);
    auto caller = connect();
    EXPECT_TRUE(get("/metrics").ends_with("open\n"));  // so the one before is served too
    stop();
    EXPECT_EQ(rest_of(caller), "");
    EXPECT_FALSE(fs::exists(path));
}

TEST_F(Figures, OnlyOwnerAndGroupMayAskAndASocketLeftOverIsReplaced)
{
    std::ofstream(path) << "left over";
    serve(path);
    struct stat info {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0660U);
    EXPECT_TRUE(get("/metrics").ends_with("open\n"));
}

TEST_F(Figures, AreAtALoopbackPortWhenThatIsAskedFor)
{
    const auto port = test::free_port();
    serve("127.0.0.1:" + std::to_string(port));
    asio::ip::tcp::socket socket(callers);
    socket.connect({asio::ip::make_address("127.0.0.1"), port});
    asio::write(socket, asio::buffer(std::string("GET /metrics HTTP/1.1\r\n\r\n")));
    EXPECT_TRUE(rest_of(socket).ends_with("open\n"));
}

TEST_F(Figures, APortOfOthersOrATakenOneIsAnError)
{
    const auto make = [this](const std::string& where) {
        MetricsServer(io.get_executor(), where,
                      [this](MetricsFormat format) { return page(format); });
    };
    EXPECT_THROW(make("0.0.0.0:9100"), std::system_error);
    EXPECT_THROW(make("nonsense"), std::system_error);
    EXPECT_THROW(make((folder / "none" / "metrics.sock").string()), std::system_error);
    asio::ip::tcp::acceptor other(callers, {asio::ip::make_address("127.0.0.1"), 0});
    EXPECT_THROW(make("127.0.0.1:" + std::to_string(other.local_endpoint().port())),
                 std::system_error);
    EXPECT_TRUE(is_metrics_place("127.0.0.1:9100"));
    EXPECT_TRUE(is_metrics_place("/run/x.sock"));
    EXPECT_FALSE(is_metrics_place("192.0.2.1:9100"));
    EXPECT_FALSE(is_metrics_place("9100"));
}

}  // namespace
