#pragma once

#include <boost/asio/awaitable.hpp>

#include <list>

namespace gateway {

/// The unit of arbitration: a serial line, a TCP connection. Whoever holds the turn may use it;
/// turns are given in the order they were asked for. Used on the loop; outlives its turns.
class Bus {
public:
    /// The right to use the bus, until it is destroyed.
    class [[nodiscard]] Turn {
    public:
        Turn(Turn&& other) noexcept;
        Turn& operator=(Turn&&) = delete;
        ~Turn();

    private:
        friend class Bus;
        explicit Turn(Bus& bus) : bus_(&bus) {}

        Bus* bus_;
    };

    Bus() = default;
    Bus(const Bus&) = delete;
    Bus& operator=(const Bus&) = delete;

    /// Waits for the turn. A waiter that is cancelled leaves the queue.
    boost::asio::awaitable<Turn> take();

private:
    struct Waiter;

    void release();

    std::list<Waiter*> waiting_;
    bool taken_ = false;
};

}  // namespace gateway
