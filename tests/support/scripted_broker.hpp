#pragma once

#include "gateway/core/ids.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace gateway::test {

/// The broker's end of MQTT 5 for what mosquitto cannot be made to say: reason codes. It takes what
/// is published and passes nothing on. On the test's loop.
class ScriptedBroker {
public:
    struct Publish {
        std::string topic;
        Bytes payload;
    };
    /// What is answered: a PUBACK with `reason`, or DISCONNECT with it and the end.
    struct Answer {
        std::uint8_t reason = 0;
        bool disconnects = false;
    };

    explicit ScriptedBroker(boost::asio::io_context& loop)
        : acceptor_(loop, {boost::asio::ip::address_v4::loopback(), 0})
    {
        boost::asio::co_spawn(loop, accept(), boost::asio::detached);
    }
    ~ScriptedBroker() { acceptor_.close(); }
    ScriptedBroker(const ScriptedBroker&) = delete;
    ScriptedBroker& operator=(const ScriptedBroker&) = delete;

    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
    std::size_t connections() const { return connections_; }

    std::function<Answer(const Publish&)> answer = [](const Publish&) { return Answer(); };

private:
    using Socket = boost::asio::ip::tcp::socket;
    enum Kind : std::uint8_t {
        connect = 1,
        publish = 3,
        subscribe = 8,
        ping = 12,
        disconnect = 14
    };

    boost::asio::awaitable<void> accept()
    {
        while (acceptor_.is_open()) {
            auto socket = co_await acceptor_.async_accept(boost::asio::use_awaitable);
            ++connections_;
            boost::asio::co_spawn(acceptor_.get_executor(), serve(std::move(socket)),
                                  boost::asio::detached);
        }
    }

    /// Until either side ends the connection; the exception of a closed socket ends it too.
    boost::asio::awaitable<void> serve(Socket socket)
    {
        for (bool goes_on = true; goes_on;) {
            const auto first = co_await byte(socket);
            Bytes body(co_await length(socket));
            co_await boost::asio::async_read(socket, boost::asio::buffer(body),
                                             boost::asio::use_awaitable);
            const auto reply = reply_to(first, body, goes_on);
            co_await boost::asio::async_write(socket, boost::asio::buffer(reply),
                                              boost::asio::use_awaitable);
        }
    }

    Bytes reply_to(std::uint8_t first, const Bytes& body, bool& goes_on) const
    {
        switch (first >> 4) {
            case connect:
                return {0x20, 3, 0, 0, 0};
            case subscribe:
                return {0x90, 4, body.at(0), body.at(1), 0, 1};
            case ping:
                return {0xd0, 0};
            case publish: {
                const std::size_t id = 2 + number(body, 0);
                const Publish message{{body.begin() + 2, body.begin() + static_cast<long>(id)},
                                      payload(body, id + 2)};
                const auto said = answer(message);
                goes_on = !said.disconnects;
                return said.disconnects
                           ? Bytes{0xe0, 2, said.reason, 0}
                           : Bytes{0x40, 4, body.at(id), body.at(id + 1), said.reason, 0};
            }
            default:
                goes_on = false;
                return {};
        }
    }

    static std::size_t number(const Bytes& body, std::size_t at)
    {
        return static_cast<std::size_t>(body.at(at) << 8 | body.at(at + 1));
    }
    /// After its properties, which are shorter than 128 bytes.
    static Bytes payload(const Bytes& body, std::size_t at)
    {
        return {body.begin() + static_cast<long>(at + 1 + body.at(at)), body.end()};
    }
    static boost::asio::awaitable<std::uint8_t> byte(Socket& socket)
    {
        std::uint8_t one = 0;
        co_await boost::asio::async_read(socket, boost::asio::buffer(&one, 1),
                                         boost::asio::use_awaitable);
        co_return one;
    }
    static boost::asio::awaitable<std::size_t> length(Socket& socket)
    {
        std::size_t length = 0;
        for (unsigned shift = 0; shift < 28; shift += 7) {
            const auto part = co_await byte(socket);
            length |= static_cast<std::size_t>(part & 0x7f) << shift;
            if (part < 0x80) {
                break;
            }
        }
        co_return length;
    }

    boost::asio::ip::tcp::acceptor acceptor_;
    std::size_t connections_ = 0;
};

}  // namespace gateway::test
