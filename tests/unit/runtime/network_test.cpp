#include "gateway/runtime/network.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <net/route.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <thread>

using gateway::network_state;

namespace {

sockaddr address(const char* text)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    inet_pton(AF_INET, text, &address.sin_addr);
    sockaddr any{};
    std::memcpy(&any, &address, sizeof any);
    return any;
}

/// The loopback of a network namespace that the calling thread makes for itself.
class OwnLoopback {
public:
    OwnLoopback() : made_(::unshare(CLONE_NEWNET) == 0), any_(::socket(AF_INET, SOCK_DGRAM, 0)) {}
    ~OwnLoopback() { ::close(any_); }
    OwnLoopback(const OwnLoopback&) = delete;
    OwnLoopback& operator=(const OwnLoopback&) = delete;

    bool made() const { return made_; }
    void set(bool up) const
    {
        ifreq wanted = named("lo");
        wanted.ifr_flags = up ? IFF_UP : 0;
        EXPECT_EQ(::ioctl(any_, SIOCSIFFLAGS, &wanted), 0);
    }
    void add_address(const char* text) const
    {
        ifreq wanted = named("lo:1");
        wanted.ifr_addr = address(text);
        EXPECT_EQ(::ioctl(any_, SIOCSIFADDR, &wanted), 0);
    }
    void change_route(unsigned long change, const char* network, const char* mask) const
    {
        std::string device = "lo";
        rtentry route{};
        route.rt_dst = address(network);
        route.rt_genmask = address(mask);
        route.rt_flags = RTF_UP;
        route.rt_dev = device.data();
        EXPECT_EQ(::ioctl(any_, change, &route), 0);
    }
    void talk() const
    {
        auto self = address("127.0.0.1");
        sockaddr_in to{};
        std::memcpy(&to, &self, sizeof to);
        to.sin_port = htons(9);
        std::memcpy(&self, &to, sizeof to);
        EXPECT_EQ(::sendto(any_, "x", 1, 0, &self, sizeof self), 1);
    }

private:
    static ifreq named(const char* name)
    {
        ifreq asked{};
        std::strncpy(asked.ifr_name, name, sizeof asked.ifr_name - 1);
        return asked;
    }

    bool made_;
    int any_;
};

void follow(OwnLoopback& loopback)
{
    const auto down = network_state();
    EXPECT_EQ(network_state(), down);
    loopback.set(true);
    const auto up = network_state();
    EXPECT_NE(up, down) << "a carrier";
    loopback.talk();
    EXPECT_EQ(network_state(), up) << "what counts packets is left out";
    loopback.add_address("10.1.2.3");
    const auto addressed = network_state();
    EXPECT_NE(addressed, up) << "an address";
    loopback.change_route(SIOCADDRT, "10.9.0.0", "255.255.0.0");
    EXPECT_NE(network_state(), addressed) << "a route";
    loopback.change_route(SIOCDELRT, "10.9.0.0", "255.255.0.0");
    EXPECT_EQ(network_state(), addressed);
    loopback.set(false);
    EXPECT_NE(network_state(), addressed);
}

TEST(NetworkState, ChangesWithCarriersAddressesAndRoutesAndWithNothingElse)
{
    bool made = false;
    std::thread([&made] {
        OwnLoopback loopback;
        made = loopback.made();
        if (made) {
            follow(loopback);
        }
    }).join();
    if (!made) {
        GTEST_SKIP() << "no network namespace can be made here";
    }
}

TEST(NetworkState, TellsOfThisMachine)
{
    EXPECT_NE(network_state().find("lo runs"), std::string::npos);
}

}  // namespace
