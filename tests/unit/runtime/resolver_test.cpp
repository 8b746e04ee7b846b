#include "gateway/runtime/resolver.hpp"

#include "tests/support/loop.hpp"

#include <gtest/gtest.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/detached.hpp>

#include <atomic>
#include <future>
#include <string_view>
#include <thread>

using namespace gateway;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

/// A name server that answers "box.test" and is silent about "silent.test" until it is let go.
class NameServer {
public:
    LookUp look_up()
    {
        return [state = state_](const char* host, const char* port, const addrinfo* hints,
                                addrinfo** found) {
            ++state->asked;
            if (std::string_view(host) == "silent.test") {
                state->answer.wait();
            }
            if (std::string_view(host) == "box.test") {
                addrinfo numeric = *hints;
                numeric.ai_flags = AI_NUMERICHOST;
                return ::getaddrinfo("192.0.2.7", port, &numeric, found);
            }
            return EAI_NONAME;
        };
    }
    void let_go() { state_->let_go.set_value(); }
    int asked() const { return state_->asked; }

private:
    struct State {
        std::promise<void> let_go;
        std::shared_future<void> answer{let_go.get_future()};
        std::atomic<int> asked = 0;
    };
    std::shared_ptr<State> state_ = std::make_shared<State>();  // the abandoned thread's too
};

struct ResolverTest : testing::Test {
    asio::io_context io{1};
    NameServer server;
    std::optional<Resolver> resolver{std::in_place, io.get_executor(), server.look_up()};

    Result<std::string> resolve(std::string host, Duration limit = 5s)
    {
        Result<std::string> answer = Fault::closed;
        auto body = [&]() -> asio::awaitable<void> {
            answer = co_await resolver->resolve(host, limit);
        };
        test::run_test(io, body());
        return answer;
    }
};

TEST_F(ResolverTest, ANumericAddressIsItsOwnAnswer)
{
    EXPECT_EQ(resolve("10.0.0.5").value(), "10.0.0.5");
    EXPECT_EQ(resolve("2001:db8::1").value(), "2001:db8::1");
    EXPECT_EQ(server.asked(), 0);
}

TEST_F(ResolverTest, ANameGivesAnAddressOrNotFound)
{
    EXPECT_EQ(resolve("box.test").value(), "192.0.2.7");
    EXPECT_EQ(resolve("nobody.test").error(), Fault::not_found);
}

TEST_F(ResolverTest, ASilentServerCostsTheLimitAndNoMore)
{
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(resolve("silent.test", 30ms).error(), Fault::timed_out);
    EXPECT_EQ(resolve("box.test", 30ms).error(), Fault::timed_out) << "it waits in the one queue";
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 5s);
    server.let_go();
    EXPECT_EQ(resolve("box.test").value(), "192.0.2.7");
}

TEST_F(ResolverTest, TheSameNameIsAskedForOnceForAllWhoWait)
{
    int answers = 0;
    auto ask = [&]() -> asio::awaitable<void> {
        const auto answer = co_await resolver->resolve("box.test", 5s);
        answers += answer ? 1 : 0;
    };
    auto block = [&]() -> asio::awaitable<void> { co_await resolver->resolve("silent.test", 5s); };
    asio::co_spawn(io, block, asio::detached);
    for (int i = 0; i < 10; ++i) {
        asio::co_spawn(io, ask, asio::detached);
    }
    io.poll();
    server.let_go();
    io.run();
    EXPECT_EQ(answers, 10);
    EXPECT_EQ(server.asked(), 2);
}

TEST_F(ResolverTest, ALookUpUnderWayBlocksNeitherCancellationNorTheEnd)
{
    asio::cancellation_signal stop;
    bool cancelled = false;
    auto ended = [&](std::exception_ptr thrown, const Result<std::string>&) {
        cancelled = thrown != nullptr;
    };
    asio::co_spawn(io, resolver->resolve("silent.test", 1h),
                   asio::bind_cancellation_slot(stop.slot(), ended));
    io.poll();
    stop.emit(asio::cancellation_type::terminal);
    io.restart();
    io.run();
    EXPECT_TRUE(cancelled);
    resolver.reset();
    server.let_go();  // the thread ends with nobody to tell
}

}  // namespace
