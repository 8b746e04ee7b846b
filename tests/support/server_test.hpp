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
        server_ =
            std::make_unique<Server>(io.get_executor(), std::forward<Arguments>(arguments)...);
        tasks_.spawn("server", server_->run());
        loop_ = std::thread([this] { io.run(); });
    }

    void stop()
    {
        if (loop_.joinable()) {
            boost::asio::co_spawn(io, end(), boost::asio::detached);
            loop_.join();
            server_.reset();
        }
    }

    boost::asio::io_context io{1};
    const TemporaryDirectory directory;
    const std::filesystem::path folder = directory.path();
    const std::string path = folder / "server.sock";

private:
    boost::asio::awaitable<void> end()
    {
        tasks_.cancel();
        co_await tasks_.join();
        co_await server_->stop();
    }

    TaskGroup tasks_{io.get_executor()};
    std::unique_ptr<Server> server_;
    std::thread loop_;
};

}  // namespace gateway::test
