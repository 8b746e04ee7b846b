#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gateway::test {

/// Answers each request with bytes as a test writes them, on the test's loop. An empty answer ends
/// the connection, "silence" keeps it open without one. Connections end with the loop.
class WebServer {
public:
    using Answers = std::function<std::string(const std::string& request)>;

    WebServer(boost::asio::io_context& io, Answers answers)
        : state_(std::make_shared<State>(io, std::move(answers)))
    {
        boost::asio::co_spawn(io, accept(state_), boost::asio::detached);
    }
    WebServer(const WebServer&) = delete;
    WebServer& operator=(const WebServer&) = delete;
    ~WebServer() { state_->acceptor.close(); }

    std::uint16_t port() const { return state_->acceptor.local_endpoint().port(); }
    const std::vector<std::string>& requests() const { return state_->requests; }
    unsigned connections() const { return state_->connections; }

    static std::string ok(const std::string& body, const std::string& headers = {})
    {
        return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
               headers + "\r\n" + body;
    }

private:
    using tcp = boost::asio::ip::tcp;

    struct State {
        State(boost::asio::io_context& io, Answers how)
            : acceptor(io, {boost::asio::ip::address_v4::loopback(), 0}), answers(std::move(how))
        {
        }
        tcp::acceptor acceptor;
        Answers answers;
        std::vector<std::string> requests;
        unsigned connections = 0;
    };

    static boost::asio::awaitable<void> accept(std::shared_ptr<State> state)
    {
        constexpr auto as_result = boost::asio::as_tuple(boost::asio::use_awaitable);
        for (;;) {
            auto [error, socket] = co_await state->acceptor.async_accept(as_result);
            if (error) {
                co_return;
            }
            ++state->connections;
            const auto executor = socket.get_executor();
            boost::asio::co_spawn(executor, serve(state, std::move(socket)), boost::asio::detached);
        }
    }

    static boost::asio::awaitable<void> serve(std::shared_ptr<State> state, tcp::socket socket)
    {
        constexpr auto as_result = boost::asio::as_tuple(boost::asio::use_awaitable);
        std::string buffer;
        for (;;) {
            auto [error, size] = co_await boost::asio::async_read_until(
                socket, boost::asio::dynamic_buffer(buffer, 65'536), "\r\n\r\n", as_result);
            if (error) {
                co_return;
            }
            auto request = buffer.substr(0, size);
            buffer.erase(0, size);
            state->requests.push_back(request);
            const auto answer = state->answers(request);
            if (answer.empty()) {
                co_return;
            }
            if (answer == "silence") {
                continue;
            }
            auto [failed, count] =
                co_await boost::asio::async_write(socket, boost::asio::buffer(answer), as_result);
            const bool ends = answer.find("Content-Length") == std::string::npos &&
                              answer.find("chunked") == std::string::npos;
            if (failed || ends || answer.find("Connection: close") != std::string::npos) {
                co_return;
            }
        }
    }

    std::shared_ptr<State> state_;
};

}  // namespace gateway::test
