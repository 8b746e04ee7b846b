#include "gateway/runtime/notify.hpp"

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>

using namespace gateway;
using namespace std::chrono_literals;

namespace {

/// The other end of sd_notify.
class Listener {
public:
    explicit Listener(const std::string& name) : descriptor_(::socket(AF_UNIX, SOCK_DGRAM, 0))
    {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, name.data(), name.size());
        if (name[0] == '@') {
            address.sun_path[0] = '\0';
        }
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
        EXPECT_EQ(::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), size), 0);
    }
    ~Listener() { ::close(descriptor_); }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    std::string receive() const
    {
        std::array<char, 2048> buffer{};
        const auto size = ::recv(descriptor_, buffer.data(), buffer.size(), MSG_DONTWAIT);
        return size < 0 ? "nothing" : std::string(buffer.data(), static_cast<std::size_t>(size));
    }

private:
    int descriptor_;
};

void speaks_to(const std::string& name)
{
    const Listener listener(name);
    const Notifier notifier(name);
    notifier.ready("6 devices\nREADY=0");
    EXPECT_EQ(listener.receive(), "READY=1\nSTATUS=6 devices READY=0");
    notifier.alive();
    EXPECT_EQ(listener.receive(), "WATCHDOG=1");
    notifier.status("broker gone");
    EXPECT_EQ(listener.receive(), "STATUS=broker gone");
    notifier.reloading();
    EXPECT_EQ(listener.receive().find("RELOADING=1\nMONOTONIC_USEC="), 0U);
    notifier.stopping();
    EXPECT_EQ(listener.receive(), "STOPPING=1");
}

TEST(Notifier, SpeaksToAPath)
{
    const auto path = testing::TempDir() + "notify-" + std::to_string(::getpid());
    speaks_to(path);
    std::filesystem::remove(path);
}

TEST(Notifier, SpeaksToAnAbstractName)
{
    speaks_to("@smart-gateway-test-" + std::to_string(::getpid()));
}

TEST(Notifier, NobodyListeningIsFine)
{
    for (const auto* name : {"", "/nowhere/at/all", "relative", "@"}) {
        Notifier(name).ready("x");
    }
    Notifier(std::string(200, '/')).alive();
}

TEST(Notifier, TheSocketIsTakenOutOfTheEnvironment)
{
    // NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread
    ::setenv("NOTIFY_SOCKET", "/run/x", 1);
    EXPECT_EQ(take_notify_socket(), "/run/x");
    EXPECT_EQ(take_notify_socket(), "");
}

TEST(Watchdog, IntervalIsOursOnly)
{
    const auto own = std::to_string(::getpid());
    EXPECT_EQ(watchdog_interval("30000000", own.c_str()), 30s);
    EXPECT_EQ(watchdog_interval("30000000", nullptr), 30s);
    EXPECT_EQ(watchdog_interval("30000000", "1"), std::nullopt);
    EXPECT_EQ(watchdog_interval(nullptr, nullptr), std::nullopt);
    EXPECT_EQ(watchdog_interval("0", nullptr), std::nullopt);
    EXPECT_EQ(watchdog_interval("soon", nullptr), std::nullopt);
}

}  // namespace
