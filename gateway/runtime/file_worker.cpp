#include "gateway/runtime/file_worker.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <condition_variable>
#include <list>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace gateway {

namespace asio = boost::asio;

namespace {

/// One caller of run(); lives in its frame.
struct Caller {
    Caller(const asio::any_io_executor& executor, std::function<void()> work, Duration longest)
        : changed(executor, asio::steady_timer::time_point::max()),
          job(std::move(work)),
          limit(longest)
    {
    }

    asio::steady_timer changed;
    std::function<void()> job;
    Duration limit;
    std::optional<Status> outcome;
};

}  // namespace

/// The loop's side is the queue of waiters, the thread's side the one job that is under way. It
/// holds no Asio object but the executor, which is given up when the loop's side ends.
class FileWorker::State : public std::enable_shared_from_this<FileWorker::State> {
public:
    explicit State(asio::any_io_executor executor) : executor_(std::move(executor)) {}

    // The loop's.

    bool hangs() const { return hangs_; }
    void enter(Caller& waiter)
    {
        waiting_.push_back(&waiter);
        start_next();
    }
    void leave(Caller& waiter)
    {
        waiting_.remove(&waiter);
        current_ = current_ == &waiter ? nullptr : current_;
    }
    /// The job under way outlived its limit: whoever waits behind it waits for nothing.
    void give_up()
    {
        hangs_ = true;
        for (auto* waiter : std::exchange(waiting_, {})) {
            waiter->outcome = Fault::timed_out;
            waiter->changed.cancel();
        }
    }

    void close()
    {
        const std::lock_guard lock(mutex_);
        executor_.reset();
        wanted_.notify_one();
    }

private:
    void start_next()
    {
        if (busy_ || waiting_.empty()) {
            return;
        }
        busy_ = true;
        current_ = waiting_.front();
        waiting_.pop_front();
        current_->changed.expires_after(current_->limit);
        const std::lock_guard lock(mutex_);
        job_ = std::move(current_->job);
        if (!std::exchange(running_, true)) {
            std::thread([self = shared_from_this()] { self->work(); }).detach();
        }
        wanted_.notify_one();
    }

    void ended()
    {
        busy_ = false;
        hangs_ = false;
        if (auto* waiter = std::exchange(current_, nullptr)) {
            waiter->outcome = Status();
            waiter->changed.cancel();
        }
        start_next();
    }

    void work()
    {
        std::unique_lock lock(mutex_);
        for (;;) {
            wanted_.wait(lock, [this] { return !executor_ || job_; });
            if (!executor_) {
                return;
            }
            auto job = std::exchange(job_, nullptr);
            lock.unlock();
            job();
            job = nullptr;  // what it shares goes before anybody hears of its end
            lock.lock();
            if (executor_) {
                asio::post(*executor_, [self = shared_from_this()] { self->ended(); });
            }
        }
    }

    std::list<Caller*> waiting_;  // the loop's, as are the next three
    Caller* current_ = nullptr;   // whose job is under way; null when it has left
    bool busy_ = false;
    bool hangs_ = false;

    std::mutex mutex_;
    std::condition_variable wanted_;
    std::function<void()> job_;
    std::optional<asio::any_io_executor> executor_;
    bool running_ = false;
};

/// A caller in the queue, until its frame ends.
struct FileWorker::Visit {
    Visit(State& entered, Caller& caller) : state(entered), waiter(caller) { state.enter(waiter); }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;
    ~Visit() { state.leave(waiter); }

    State& state;
    Caller& waiter;
};

FileWorker::FileWorker(asio::any_io_executor executor)
    : state_(std::make_shared<State>(std::move(executor)))
{
}

FileWorker::~FileWorker()
{
    state_->close();
}

asio::awaitable<Status> FileWorker::run(std::function<void()> job, Duration limit)
{
    const auto state = state_;
    if (state->hangs()) {
        co_return Fault::timed_out;
    }
    const auto executor = co_await asio::this_coro::executor;
    Caller waiter(executor, std::move(job), limit);
    const Visit visit(*state, waiter);
    while (!waiter.outcome) {
        const auto [ended] =
            co_await waiter.changed.async_wait(asio::as_tuple(asio::use_awaitable));
        const auto cancelled = (co_await asio::this_coro::cancellation_state).cancelled();
        if (cancelled != asio::cancellation_type::none) {
            throw boost::system::system_error(ended ? ended : asio::error::operation_aborted);
        }
        if (!ended) {
            state->give_up();
            co_return Fault::timed_out;
        }
    }
    co_return *waiter.outcome;
}

}  // namespace gateway
