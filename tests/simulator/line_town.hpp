#pragma once

#include "gateway/runtime/task_group.hpp"
#include "tests/simulator/line_device.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <memory>
#include <string_view>
#include <vector>

namespace simulator {

/// Plays devices of lines over TCP on one loop, each on a port of its own. Listens from
/// construction; throws when a port cannot be had.
class LineTown {
public:
    LineTown(boost::asio::io_context& io, std::vector<LineDevice> devices, unsigned seed = 1);
    LineTown(const LineTown&) = delete;
    LineTown& operator=(const LineTown&) = delete;
    ~LineTown();

    std::uint16_t port(std::string_view device) const;
    std::uint64_t requests(std::string_view device) const;
    std::size_t connections(std::string_view device) const;
    /// What a device says to all who are connected, besides what it would say.
    void shout(std::string_view device, std::string text);
    /// `{"id":"rain-1","port":40123}` for each, after a comma or not.
    std::string ready_entries(bool first) const;

    /// Ends every connection and stops listening; await it before the loop ends.
    boost::asio::awaitable<void> stop();

private:
    struct Stand;
    struct Connection;

    const Stand& stand(std::string_view device) const;
    boost::asio::awaitable<void> accept(Stand& stand);
    boost::asio::awaitable<void> listen(std::shared_ptr<Connection> connection, Stand& stand);
    boost::asio::awaitable<void> speak(std::shared_ptr<Connection> connection, Stand& stand);
    /// False: the connection is to end.
    boost::asio::awaitable<bool> answer(Connection& connection, Stand& stand,
                                        const std::vector<std::string>& lines);
    double seconds() const;

    Random random_;
    std::chrono::steady_clock::time_point started_;
    std::vector<std::unique_ptr<Stand>> stands_;
    gateway::TaskGroup tasks_;
};

}  // namespace simulator
