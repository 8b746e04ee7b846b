#include "gateway/runtime/notify.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <utility>

namespace gateway {

namespace {

template <typename Number>
std::optional<Number> parse(std::string_view text)
{
    Number number{};
    const auto* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(number) : std::nullopt;
}

/// One line, so that no text adds an assignment of its own.
std::string one_line(std::string_view text)
{
    std::string line(text.substr(0, 512));
    std::replace(line.begin(), line.end(), '\n', ' ');
    return line;
}

}  // namespace

Notifier::Notifier(std::string socket) : socket_(std::move(socket))
{
    const bool usable = socket_.size() > 1 && (socket_[0] == '/' || socket_[0] == '@') &&
                        socket_.size() < sizeof(sockaddr_un::sun_path);
    if (usable) {
        descriptor_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    }
}

Notifier::~Notifier()
{
    if (descriptor_ >= 0) {
        ::close(descriptor_);
    }
}

void Notifier::ready(std::string_view status) const
{
    send("READY=1\nSTATUS=" + one_line(status));
}

void Notifier::reloading() const
{
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    const auto usec = std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
    send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(usec));
}

void Notifier::stopping() const
{
    send("STOPPING=1");
}

void Notifier::alive() const
{
    send("WATCHDOG=1");
}

void Notifier::status(std::string_view text) const
{
    send("STATUS=" + one_line(text));
}

void Notifier::send(const std::string& message) const
{
    if (descriptor_ < 0) {
        return;
    }
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, socket_.data(), socket_.size());
    if (address.sun_path[0] == '@') {
        address.sun_path[0] = '\0';
    }
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
    ::sendto(descriptor_, message.data(), message.size(), MSG_NOSIGNAL,
             reinterpret_cast<const sockaddr*>(&address), length);
}

std::string take_notify_socket()
{
    const char* const name = std::getenv(  // NOLINT(concurrency-mt-unsafe): at start, one thread
        "NOTIFY_SOCKET");
    std::string socket = name == nullptr ? "" : name;
    ::unsetenv("NOTIFY_SOCKET");  // NOLINT(concurrency-mt-unsafe): at start, one thread
    return socket;
}

std::optional<std::chrono::microseconds> watchdog_interval(const char* usec, const char* pid)
{
    const auto interval = parse<std::int64_t>(usec == nullptr ? "" : usec);
    const bool ours = pid == nullptr || parse<std::int64_t>(pid) == std::int64_t{::getpid()};
    if (!interval || *interval <= 0 || !ours) {
        return std::nullopt;
    }
    return std::chrono::microseconds(*interval);
}

}  // namespace gateway
