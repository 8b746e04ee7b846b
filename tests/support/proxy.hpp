#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>

namespace gateway::test {

/// A TCP link between a client and a port of this machine that can go bad. On the test's loop.
class Proxy {
public:
    Proxy(boost::asio::io_context& loop, std::uint16_t target)
        : loop_(loop), target_(target), acceptor_(loop, Endpoint(loopback(), 0))
    {
        accept();
    }

    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
    /// What the client sends is read and thrown away; the link stays up.
    void swallow(bool on) { swallow_ = on; }
    /// What the client sends goes on at so many bytes a second.
    void slow(std::size_t bytes_per_second) { bytes_per_second_ = bytes_per_second; }
    void cut()
    {
        for (auto& link : std::exchange(links_, {})) {
            link->close();
        }
    }
    std::size_t accepted() const { return accepted_; }

private:
    using Tcp = boost::asio::ip::tcp;
    using Endpoint = Tcp::endpoint;
    using Code = boost::system::error_code;
    struct Link {
        explicit Link(boost::asio::io_context& loop) : client(loop), server(loop), next(loop) {}
        void close()
        {
            Code ignored;
            next.cancel();
            client.close(ignored);
            server.close(ignored);
        }
        Tcp::socket client, server;
        boost::asio::steady_timer next;
        std::array<char, 4'096> up{}, down{};
    };

    static boost::asio::ip::address loopback() { return boost::asio::ip::address_v4::loopback(); }

    void accept()
    {
        auto link = std::make_shared<Link>(loop_);
        acceptor_.async_accept(link->client, [this, link](Code error) {
            if (error) {
                return;
            }
            ++accepted_;
            Code refused;
            link->server.connect(Endpoint(loopback(), target_), refused);
            if (!refused) {
                links_.push_back(link);
                pump(link, true);
                pump(link, false);
            }
            accept();
        });
    }

    void pump(const std::shared_ptr<Link>& link, bool up)
    {
        auto& from = up ? link->client : link->server;
        auto& data = up ? link->up : link->down;
        from.async_read_some(
            boost::asio::buffer(data), [this, link, up](Code error, std::size_t size) {
                auto& to = up ? link->server : link->client;
                auto& bytes = up ? link->up : link->down;
                if (!error && !(up && swallow_)) {
                    boost::asio::write(to, boost::asio::buffer(bytes, size), error);
                }
                if (error) {
                    link->close();
                } else if (up && bytes_per_second_ > 0) {
                    link->next.expires_after(
                        std::chrono::microseconds(1'000'000 * size / bytes_per_second_));
                    link->next.async_wait([this, link](Code ended) {
                        if (!ended) {
                            pump(link, true);
                        }
                    });
                } else {
                    pump(link, up);
                }
            });
    }

    boost::asio::io_context& loop_;
    std::uint16_t target_;
    Tcp::acceptor acceptor_;
    std::list<std::shared_ptr<Link>> links_;
    bool swallow_ = false;
    std::size_t bytes_per_second_ = 0;  // no limit
    std::size_t accepted_ = 0;
};

}  // namespace gateway::test
