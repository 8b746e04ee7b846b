#pragma once

#include "gateway/runtime/task_group.hpp"
#include "tests/unit/store/temporary_directory.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace gateway::test {

/// A server that is made, run and stopped as the gateway does it, on a loop of its own; `path` is
/// of a socket in a folder of the test.
template <typename Server>
class ServerTest : public testing::Test {
protected:
    void TearDown() override { stop(); }

    template <typename... Arguments>
    void start(Arguments&&... arguments)
    {
        server = std::make_unique<Server>(io.get_executor(), std::forward<Arguments>(arguments)...);
        tasks.spawn("server", server->run());
        loop = std::thread([this] { io.run(); });
    }

    void stop()
    {
        if (loop.joinable()) {
            boost::asio::co_spawn(io, end(), boost::asio::detached);
            loop.join();
            server.reset();
        }
    }

    boost::asio::io_context io{1};
    const TemporaryDirectory directory;
    const std::filesystem::path folder = directory.path();
    const std::string path = folder / "server.sock";

private:
    boost::asio::awaitable<void> end()
    {
        tasks.cancel();
        co_await tasks.join();
        co_await server->stop();
    }

    TaskGroup tasks{io.get_executor()};
    std::unique_ptr<Server> server;
    std::thread loop;
};

}  // namespace gateway::test
