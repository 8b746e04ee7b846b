#include "gateway/runtime/task_group.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <utility>

namespace gateway {

namespace asio = boost::asio;

namespace {

bool is_cancellation(const std::exception_ptr& thrown)
{
    try {
        std::rethrow_exception(thrown);
    } catch (const boost::system::system_error& error) {
        return error.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

}  // namespace

TaskGroup::TaskGroup(asio::any_io_executor executor)
    : executor_(std::move(executor)), all_done_(executor_)
{
    all_done_.expires_at(asio::steady_timer::time_point::max());
}

void TaskGroup::spawn(std::string name, asio::awaitable<void> task)
{
    auto& entry = tasks_.emplace_front();
    entry.name = std::move(name);
    auto done = [this, it = tasks_.begin()](std::exception_ptr failure) { finished(it, failure); };
    asio::co_spawn(executor_, std::move(task),
                   asio::bind_cancellation_slot(entry.stop.slot(), std::move(done)));
}

void TaskGroup::cancel()
{
    cancelled_ = true;
    for (auto it = tasks_.begin(); it != tasks_.end();) {
        auto next = std::next(it);
        it->stop.emit(asio::cancellation_type::terminal);
        it = next;
    }
}

void TaskGroup::finished(std::list<Task>::iterator task, std::exception_ptr failure)
{
    tasks_.erase(task);
    if (failure && !first_failure_ && !(cancelled_ && is_cancellation(failure))) {
        first_failure_ = failure;
        cancel();
    }
    if (tasks_.empty()) {
        all_done_.cancel();
    }
}

asio::awaitable<void> TaskGroup::join()
{
    while (!tasks_.empty()) {
        co_await all_done_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    if (first_failure_) {
        std::rethrow_exception(std::exchange(first_failure_, nullptr));
    }
}

}  // namespace gateway
