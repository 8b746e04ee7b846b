#include "drivers/http_json/driver.hpp"
#include "tests/support/loop.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/web_server.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace gateway::http_json {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using json_text::Location;
using test::WebServer;

constexpr auto good_body = R"({"a":21.5,"b":7})";

Location at(std::string_view pointer, std::uint16_t source = 0)
{
    Location location;
    location.path.at = json_text::parse_pointer(pointer);
    location.source = source;
    return location;
}

/// The driver over loopback against a server on the same loop.
struct HttpDriverTest : testing::Test {
    asio::io_context io{1};
    Resolver resolver{io.get_executor()};
    ManualClock clock{io};
    std::unique_ptr<WebServer> server;
    std::shared_ptr<Bus> bus = std::make_shared<Bus>();
    Settings settings{.timeout = 5s, .retries = 0};
    json_text::DeviceMap map;

    void SetUp() override
    {
        map.sources = {"/json"};
        map.main = "/json";
        map.points = {at("/a"), at("/b")};
    }

    void serve(WebServer::Answers answers)
    {
        server = std::make_unique<WebServer>(io, std::move(answers));
    }
    void serve(std::string answer)
    {
        serve([answer](const std::string&) { return answer; });
    }

    std::unique_ptr<HttpDriver> driver()
    {
        auto own = settings;
        own.server.host = "127.0.0.1";
        own.server.port = server->port();
        HttpDriver::Shared shared{io.get_executor(), bus, resolver, clock};
        return std::make_unique<HttpDriver>(std::move(shared), std::move(own), map);
    }

    template <typename T>
    T run(asio::awaitable<T> task)
    {
        return test::outcome_of(io, std::move(task));
    }

    Result<Samples> read(HttpDriver& http)
    {
        std::vector<std::uint16_t> rows(map.points.size());
        std::iota(rows.begin(), rows.end(), std::uint16_t{0});
        return run(http.read(rows));
    }
    Result<Samples> read() { return read(*driver()); }

    /// The one cause that all points have.
    Cause cause()
    {
        const auto samples = read();
        EXPECT_TRUE(samples) << samples.error().message();
        if (!samples || samples->size() != map.points.size()) {
            return Cause::none;
        }
        for (const auto& sample : *samples) {
            EXPECT_EQ(sample.quality, Quality::comm_error);
            EXPECT_TRUE(sample.raw.is_none());
            EXPECT_EQ(sample.cause, samples->front().cause);
        }
        return samples->front().cause;
    }
};

std::vector<double> numbers(const Result<Samples>& samples)
{
    std::vector<double> out;
    for (const auto& sample : samples ? *samples : Samples{}) {
        out.push_back(sample.quality == Quality::good ? sample.raw.approximate() : -1);
    }
    return out;
}

TEST_F(HttpDriverTest, ReadsItsPointsWithOneRequest)
{
    serve(WebServer::ok(good_body));
    EXPECT_EQ(numbers(read()), (std::vector{21.5, 7.0}));
    ASSERT_EQ(server->requests().size(), 1U);
    const auto& request = server->requests().front();
    EXPECT_TRUE(request.starts_with("GET /json HTTP/1.1\r\n")) << request;
    EXPECT_NE(request.find("Host: 127.0.0.1:" + std::to_string(server->port())), request.npos);
}

TEST_F(HttpDriverTest, ReadsEveryShapeOfAnAnswer)
{
    const std::string body = good_body;
    for (const auto& answer :
         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n" + body.substr(0, 4) +
              "\r\nC\r\n" + body.substr(4) + "\r\n0\r\n\r\n",
          "HTTP/1.0 200 OK\r\n\r\n" + body, WebServer::ok(body, "Connection: close\r\n"),
          WebServer::ok(body, "Content-Type: text/html\r\n")}) {
        serve(answer);
        EXPECT_EQ(numbers(read()), (std::vector{21.5, 7.0})) << answer;
    }
}

TEST_F(HttpDriverTest, GetsEachDocumentOnceOverOneConnection)
{
    map.sources = {"/json", "/other"};
    map.points.push_back(at("/c", 1));
    serve([](const std::string& request) {
        return WebServer::ok(request.starts_with("GET /other ") ? R"({"c":3})" : good_body);
    });
    EXPECT_EQ(numbers(read()), (std::vector{21.5, 7.0, 3.0}));
    EXPECT_EQ(server->requests().size(), 2U);
    EXPECT_EQ(server->connections(), 1U);
}

TEST_F(HttpDriverTest, OpensAConnectionAnewWhenTheServerEndsIt)
{
    map.sources = {"/json", "/other"};
    map.points = {at("/a"), at("/a", 1)};
    unsigned asked = 0;
    serve([&asked](const std::string&) {
        return ++asked == 2 ? std::string() : WebServer::ok(good_body);
    });
    EXPECT_EQ(numbers(read()), (std::vector{21.5, 21.5}));
    EXPECT_EQ(server->connections(), 2U);
}

TEST_F(HttpDriverTest, DoesNotFollowARedirect)
{
    serve("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(to_string(cause()), "exception_302");
    EXPECT_EQ(server->requests().size(), 1U);
}

TEST_F(HttpDriverTest, GivesTheStatusAsTheCause)
{
    for (const auto* status : {"204", "401", "404", "500", "503"}) {
        serve("HTTP/1.1 " + std::string(status) + " x\r\nContent-Length: 0\r\n\r\n");
        EXPECT_EQ(to_string(cause()), "exception_" + std::string(status));
    }
}

TEST_F(HttpDriverTest, RefusesABodyThatIsTooLargeOrNoJson)
{
    map.limits.bytes = 16;
    for (const auto& answer :
         {WebServer::ok(std::string(17, ' ')), WebServer::ok("<html></html>"),
          WebServer::ok("{\"a\":\"\xFF\"}"), WebServer::ok("{"), WebServer::ok(""),
          WebServer::ok("{}", "Content-Encoding: gzip\r\n"),
          std::string(
              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n11\r\n12345678901234567"),
          std::string("SSH-2.0-OpenSSH\r\n\r\n"),
          "HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n{}"}) {
        serve(answer);
        EXPECT_EQ(cause(), Cause::unexpected_reply) << answer.substr(0, 60);
    }
    map.limits.bytes = 17;
    serve(WebServer::ok(good_body));
    EXPECT_EQ(numbers(read()).size(), 2U);
}

TEST_F(HttpDriverTest, FailsAsAWholeOnlyWhenNobodyAnswers)
{
    serve("silence");
    settings.timeout = 50ms;
    EXPECT_EQ(read().error(), Fault::timed_out);
    serve(std::string());
    EXPECT_EQ(read().error(), Fault::closed);
    serve("HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\n{");
    settings.timeout = 5s;
    EXPECT_EQ(read().error(), Fault::closed) << "the end came early";
}

TEST_F(HttpDriverTest, AsksAgainOnlyAsOftenAsTheProfileSaysAndOnceWhenItIsSilent)
{
    settings.retries = 2;
    serve(std::string());
    const auto http = driver();
    EXPECT_FALSE(read(*http));
    EXPECT_EQ(server->requests().size(), 3U);
    EXPECT_FALSE(read(*http));
    EXPECT_EQ(server->requests().size(), 4U);
}

TEST_F(HttpDriverTest, OneBadDocumentDoesNotSpoilTheOther)
{
    map.sources = {"/json", "/other"};
    map.points = {at("/a"), at("/a", 1)};
    serve([](const std::string& request) {
        return request.starts_with("GET /other ")
                   ? std::string("HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n")
                   : WebServer::ok(good_body);
    });
    const auto samples = read();
    ASSERT_TRUE(samples);
    ASSERT_EQ(samples->size(), 2U);
    EXPECT_EQ((*samples)[0].quality, Quality::good);
    EXPECT_EQ(to_string((*samples)[1].cause), "exception_404");
}

TEST_F(HttpDriverTest, SendsTheSecretAsTheProfileSays)
{
    settings.credentials = {.user = "u", .secret = "s"};
    const std::pair<Auth, const char*> ways[] = {{Auth::basic, "Authorization: Basic dTpz\r\n"},
                                                 {Auth::bearer, "Authorization: Bearer s\r\n"},
                                                 {Auth::header, "X-Api-Key: s\r\n"}};
    settings.header = "X-Api-Key";
    for (const auto& [auth, line] : ways) {
        settings.auth = auth;
        serve(WebServer::ok(good_body));
        EXPECT_TRUE(read());
        EXPECT_NE(server->requests().front().find(line), std::string::npos) << line;
    }
}

TEST_F(HttpDriverTest, AnswersADigestChallengeAndKeepsIt)
{
    settings.auth = Auth::digest;
    settings.credentials = {.user = "u", .secret = "s"};
    serve([](const std::string& request) {
        return request.find("Authorization: Digest") == request.npos
                   ? std::string(
                         "HTTP/1.1 401 x\r\nContent-Length: 0\r\nWWW-Authenticate: Basic "
                         "realm=\"r\"\r\nWWW-Authenticate: Digest realm=\"r\", "
                         "qop=\"auth\", nonce=\"n\", algorithm=SHA-256\r\n\r\n")
                   : WebServer::ok(good_body);
    });
    const auto http = driver();
    EXPECT_EQ(numbers(read(*http)), (std::vector{21.5, 7.0}));
    EXPECT_EQ(server->requests().size(), 2U);
    EXPECT_TRUE(read(*http));
    ASSERT_EQ(server->requests().size(), 3U);
    EXPECT_NE(server->requests().back().find("nc=00000002"), std::string::npos);
}

TEST_F(HttpDriverTest, AWrongSecretIsNotTriedForEver)
{
    settings.auth = Auth::digest;
    settings.retries = 3;
    settings.credentials = {.user = "u", .secret = "wrong"};
    serve(
        "HTTP/1.1 401 x\r\nContent-Length: 0\r\nWWW-Authenticate: Digest realm=\"r\", "
        "qop=\"auth\", nonce=\"n\"\r\n\r\n");
    EXPECT_EQ(to_string(cause()), "exception_401");
    EXPECT_EQ(server->requests().size(), 2U);
}

TEST_F(HttpDriverTest, StampsAndJudgesByTheDevicesOwnTime)
{
    json_text::Age age{.path = {}, .format = {}, .stale = 10min};
    age.path.at = json_text::parse_pointer("/t");
    map.age = age;
    map.points = {at("/a")};
    clock.set_wall(WallTime(2000s), ClockState::synced);
    serve(WebServer::ok(R"({"a":1,"t":"1970-01-01T00:32:20Z"})"));
    const auto fresh = read();
    ASSERT_TRUE(fresh);
    EXPECT_EQ(fresh->front().quality, Quality::good);
    EXPECT_EQ(fresh->front().device_time, WallTime(1940s));
    serve(WebServer::ok(R"({"a":1,"t":"1970-01-01T00:20:00Z"})"));
    EXPECT_EQ(read()->front().quality, Quality::stale);
    serve(WebServer::ok(R"({"a":1})"));
    EXPECT_EQ(read()->front().cause, Cause::clock);
}

TEST_F(HttpDriverTest, TellsWhoItIs)
{
    map.identity = {at("/serial"), at("/none")};
    map.identity[0].type = json_text::Type::text;
    serve(WebServer::ok(R"({"serial":"4711"})"));
    const auto http = driver();
    const auto identity = run(http->identify());
    ASSERT_TRUE(identity);
    EXPECT_EQ((*identity)[0], Value::of_text("4711"));
    EXPECT_FALSE((*identity)[1]);
}

}  // namespace
}  // namespace gateway::http_json
