#pragma once

#include "gateway/core/reading.hpp"
#include "gateway/core/result.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>

namespace gateway {

/// A thread for reading files of the kernel, behind which a sensor may take its time or hang.
/// Nothing can interrupt such a read: one that outlives its limit is abandoned, also at exit, and
/// until it ends no other file is read. Members are called on the loop.
class FileWorker {
public:
    explicit FileWorker(boost::asio::any_io_executor executor);
    ~FileWorker();
    FileWorker(const FileWorker&) = delete;
    FileWorker& operator=(const FileWorker&) = delete;

    /// Runs `job` on the thread, in the order of the calls; it must not throw and shares what it
    /// uses. `limit` counts from when it begins. Fault::timed_out when it took longer, or while an
    /// earlier one hangs.
    boost::asio::awaitable<Status> run(std::function<void()> job, Duration limit);

private:
    class State;
    struct Visit;
    std::shared_ptr<State> state_;  // shared with the thread, which may outlive this object
};

}  // namespace gateway
