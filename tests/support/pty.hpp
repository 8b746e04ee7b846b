#pragma once

#include <gtest/gtest.h>

#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace gateway::test {

/// The far end of a serial line: what is written here, the port at `path()` reads. Destroying it
/// takes the adapter out.
class Pty {
public:
    Pty() : file_(::posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC))
    {
        std::array<char, 64> name{};
        if (file_ < 0 || ::grantpt(file_) != 0 || ::unlockpt(file_) != 0 ||
            ::ptsname_r(file_, name.data(), name.size()) != 0) {
            throw std::runtime_error("no pseudo terminal");
        }
        path_ = name.data();
    }
    Pty(Pty&& other) noexcept : file_(std::exchange(other.file_, -1)), path_(std::move(other.path_))
    {
    }
    Pty& operator=(Pty&&) = delete;
    ~Pty()
    {
        if (file_ >= 0) {
            ::close(file_);
        }
    }

    const std::string& path() const { return path_; }
    int file() const { return file_; }

    void write(std::string_view bytes) const
    {
        const auto written = ::write(file_, bytes.data(), bytes.size());
        EXPECT_EQ(written, static_cast<ssize_t>(bytes.size()));
    }
    /// What has come so far and was not read yet.
    std::string read() const
    {
        std::array<char, 4096> bytes{};
        const auto count = ::read(file_, bytes.data(), bytes.size());
        return count > 0 ? std::string(bytes.data(), static_cast<std::size_t>(count)) : "";
    }
    /// How the port is set; a pseudo terminal keeps all but the parity and seven data bits.
    ::termios settings() const
    {
        ::termios settings{};
        ::tcgetattr(file_, &settings);
        return settings;
    }

private:
    int file_;
    std::string path_;
};

}  // namespace gateway::test
