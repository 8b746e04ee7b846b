#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <fstream>
#include <random>

namespace gateway::test {

/// A port nobody listened on a moment ago, below those that the kernel hands out: between this and
/// its use no other test is given it.
inline std::uint16_t free_port()
{
    namespace asio = boost::asio;
    std::uint16_t first = 32768;
    std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> first;
    std::random_device dice;
    const auto below = static_cast<std::uint16_t>(first - 1);
    std::uniform_int_distribution<std::uint16_t> ports(first / 2, below);
    asio::io_context io;
    for (;;) {
        asio::ip::tcp::acceptor probe(io, asio::ip::tcp::v4());
        boost::system::error_code taken;
        probe.bind({asio::ip::make_address("127.0.0.1"), ports(dice)}, taken);
        if (!taken) {
            return probe.local_endpoint().port();
        }
    }
}

}  // namespace gateway::test
