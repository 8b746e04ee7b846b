#include "gateway/acquire/bus.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace gateway {

namespace asio = boost::asio;

/// A place in the queue; lives in the frame of the coroutine that waits.
struct Bus::Waiter {
    Waiter(Bus& owner, const asio::any_io_executor& executor)
        : bus(owner),
          called(executor, asio::steady_timer::time_point::max()),
          place(owner.waiting_.insert(owner.waiting_.end(), this))
    {
    }
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;
    ~Waiter()
    {
        if (!granted) {
            bus.waiting_.erase(place);
        }
    }

    Bus& bus;
    asio::steady_timer called;
    std::list<Waiter*>::iterator place;
    bool granted = false;
};

Bus::Turn::Turn(Turn&& other) noexcept : bus_(std::exchange(other.bus_, nullptr)) {}

Bus::Turn::~Turn()
{
    if (bus_ != nullptr) {
        bus_->release();
    }
}

asio::awaitable<Bus::Turn> Bus::take()
{
    if (!std::exchange(taken_, true)) {
        co_return Turn(*this);
    }
    const auto executor = co_await asio::this_coro::executor;
    Waiter waiter(*this, executor);
    while (!waiter.granted) {  // a cancelled coroutine throws at its second wait at the latest
        co_await waiter.called.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    co_return Turn(*this);
}

void Bus::release()
{
    if (waiting_.empty()) {
        taken_ = false;
        return;
    }
    auto* const next = waiting_.front();
    waiting_.pop_front();
    next->granted = true;
    next->called.cancel();
}

}  // namespace gateway
