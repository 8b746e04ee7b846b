#pragma once

#include "gateway/core/result.hpp"

#include <unistd.h>

#include <cerrno>

namespace gateway {

/// What the last system call failed with.
inline Error last_error()
{
    return {errno, boost::system::system_category()};
}

/// A file, folder or socket of the system, closed at the end; negative: it could not be opened.
class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor()
    {
        if (number_ >= 0) {
            ::close(number_);
        }
    }
    int number() const { return number_; }
    bool open() const { return number_ >= 0; }

private:
    int number_;
};

}  // namespace gateway
