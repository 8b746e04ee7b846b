#pragma once

#include "gateway/runtime/task_group.hpp"
#include "tests/simulator/line_town.hpp"
#include "tests/simulator/scene.hpp"
#include "tests/simulator/unit.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace simulator {

/// Plays a scene on one loop: units over Modbus TCP, or RTU in TCP or on a pseudo terminal, and
/// devices of lines. Listens from
/// construction; throws when a port cannot be had.
class Town {
public:
    Town(boost::asio::io_context& io, Scene scene);
    Town(const Town&) = delete;
    Town& operator=(const Town&) = delete;
    ~Town();

    /// 0 for a device on a serial line.
    std::uint16_t port(std::string_view device) const;
    const Served& served(std::string_view device) const;
    std::uint64_t connections() const { return connections_; }
    /// `{"ready":true,"devices":[{"id":"meter-1","port":40123,"unit":1}]}`; on a serial line the
    /// port is 0.
    std::string ready_line() const;
    /// `{"requests":12,"registers":240,"devices":[…]}`
    std::string summary_line() const;

    /// Ends every connection and stops listening; await it before the loop ends.
    boost::asio::awaitable<void> stop();

private:
    struct Port;

    boost::asio::awaitable<void> accept(Port& port);
    template <typename Stream>
    boost::asio::awaitable<void> serve(Stream stream, Port& port);
    /// False: the connection is to end.
    template <typename Stream>
    boost::asio::awaitable<bool> answer(Stream& stream, Port& port, Asked asked);
    double seconds() const;

    Random random_;
    std::FILE* log_ = nullptr;
    std::chrono::steady_clock::time_point started_;
    std::vector<std::unique_ptr<Unit>> units_;
    std::vector<std::unique_ptr<Port>> ports_;
    std::map<std::string, Port*, std::less<>> port_of_;
    std::uint64_t connections_ = 0;
    LineTown lines_;
    gateway::TaskGroup tasks_;
};

}  // namespace simulator
