#include "gateway/runtime/resolver.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

namespace gateway {

namespace asio = boost::asio;

namespace {

Result<std::string> first_address(const LookUp& look_up, const std::string& host)
{
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG;
    addrinfo* found = nullptr;
    if (look_up(host.c_str(), nullptr, &hints, &found) != 0 || found == nullptr) {
        return Fault::not_found;
    }
    std::array<char, NI_MAXHOST> text{};
    const int failure = getnameinfo(found->ai_addr, found->ai_addrlen, text.data(), text.size(),
                                    nullptr, 0, NI_NUMERICHOST);
    freeaddrinfo(found);
    if (failure != 0) {
        return Fault::not_found;
    }
    return std::string(text.data());
}

/// One caller of resolve(); lives in its frame.
struct Waiter {
    Waiter(std::string name, const asio::any_io_executor& executor, Duration limit)
        : host(std::move(name)), ended(executor, limit)
    {
    }

    std::string host;
    asio::steady_timer ended;
    std::optional<Result<std::string>> answer;
};

struct Leave {
    Leave(std::list<Waiter*>& of, std::list<Waiter*>::iterator at) : waiters(of), place(at) {}
    Leave(const Leave&) = delete;
    Leave& operator=(const Leave&) = delete;
    ~Leave() { waiters.erase(place); }

    std::list<Waiter*>& waiters;
    std::list<Waiter*>::iterator place;
};

}  // namespace

/// The queue between loop and thread. It holds no Asio object but the executor, which is given up
/// when the loop's side ends, so that an abandoned look-up may end at any time later.
class Resolver::State : public std::enable_shared_from_this<Resolver::State> {
public:
    State(asio::any_io_executor executor, LookUp look_up)
        : look_up_(std::move(look_up)), executor_(std::move(executor))
    {
    }

    void want(const std::string& host)
    {
        const std::lock_guard lock(mutex_);
        if (std::find(queue_.begin(), queue_.end(), host) == queue_.end()) {
            queue_.push_back(host);
        }
        if (!running_) {
            try {
                std::thread([self = shared_from_this()] { self->work(); }).detach();
                running_ = true;
            } catch (const std::system_error&) {
                return;  // no thread is to be had; who waits has a deadline, and asks again
            }
        }
        wanted_.notify_one();
    }

    void close()
    {
        const std::lock_guard lock(mutex_);
        executor_.reset();
        wanted_.notify_one();
    }

    std::list<Waiter*> waiters;  // the loop's

private:
    void work()
    {
        std::unique_lock lock(mutex_);
        for (;;) {
            wanted_.wait(lock, [this] { return !executor_ || !queue_.empty(); });
            if (!executor_) {
                return;
            }
            const auto host = std::move(queue_.front());
            queue_.pop_front();
            lock.unlock();
            auto answer = first_address(look_up_, host);
            lock.lock();
            if (executor_) {
                auto tell = [self = shared_from_this(), host, answer = std::move(answer)] {
                    self->tell(host, answer);
                };
                asio::post(*executor_, std::move(tell));
            }
        }
    }

    void tell(const std::string& host, const Result<std::string>& answer) const
    {
        for (auto* waiter : waiters) {
            if (waiter->host == host) {
                waiter->answer = answer;
                waiter->ended.cancel();
            }
        }
    }

    const LookUp look_up_;
    std::mutex mutex_;
    std::condition_variable wanted_;
    std::deque<std::string> queue_;  // each name once
    std::optional<asio::any_io_executor> executor_;
    bool running_ = false;
};

Resolver::Resolver(asio::any_io_executor executor, LookUp look_up)
    : state_(std::make_shared<State>(std::move(executor), std::move(look_up)))
{
}

Resolver::~Resolver()
{
    state_->close();
}

asio::awaitable<Result<std::string>> Resolver::resolve(std::string host, Duration limit)
{
    boost::system::error_code not_numeric;
    asio::ip::make_address(host, not_numeric);
    if (!not_numeric) {
        co_return host;
    }
    const auto state = state_;
    const auto executor = co_await asio::this_coro::executor;
    Waiter waiter(std::move(host), executor, limit);
    const auto place = state->waiters.insert(state->waiters.end(), &waiter);
    const Leave leave(state->waiters, place);
    state->want(waiter.host);
    const auto [ended] = co_await waiter.ended.async_wait(asio::as_tuple(asio::use_awaitable));
    if (waiter.answer) {
        co_return *waiter.answer;
    }
    if (ended) {
        throw boost::system::system_error(ended);  // cancelled
    }
    co_return Fault::timed_out;
}

}  // namespace gateway
