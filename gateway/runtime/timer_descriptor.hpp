#pragma once

#include <sys/timerfd.h>

#include <cerrno>
#include <system_error>

namespace gateway {

/// A timer of the kernel by `clock`, not set; the caller closes it. Throws std::system_error.
inline int open_timer(clockid_t clock)
{
    const int descriptor = ::timerfd_create(clock, TFD_NONBLOCK | TFD_CLOEXEC);
    if (descriptor < 0) {
        throw std::system_error(errno, std::generic_category(), "timerfd_create");
    }
    return descriptor;
}

}  // namespace gateway
