#include "gateway/runtime/network.hpp"

#include "gateway/core/descriptor.hpp"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstddef>
#include <fstream>
#include <set>
#include <sstream>

namespace gateway {

namespace {

constexpr std::size_t most_text = 65'536;  // what is beyond is not looked at

std::ifstream open(const std::string& name)
{
    return std::ifstream("/proc/thread-self/net/" + name);
}

/// The words of a file, but those columns that count.
void add_words(std::string& text, const std::string& file, const std::set<int>& left_out)
{
    auto lines = open(file);
    for (std::string line; text.size() < most_text && std::getline(lines, line);) {
        std::istringstream words(line);
        int column = 0;
        for (std::string word; words >> word;) {
            if (!left_out.contains(column++)) {
                text += word + ' ';
            }
        }
        text += '\n';
    }
}

/// netdevice(7): running is what has a carrier, as far as its driver can tell.
void add_carriers(std::string& text)
{
    const Descriptor any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    auto lines = open("dev");
    for (std::string line; text.size() < most_text && std::getline(lines, line);) {
        const auto end = line.find(':');
        ifreq asked{};
        std::istringstream(line.substr(0, end)) >> asked.ifr_name;
        if (end != std::string::npos && ::ioctl(any.number(), SIOCGIFFLAGS, &asked) == 0 &&
            (asked.ifr_flags & IFF_RUNNING) != 0) {
            text += std::string(asked.ifr_name) + " runs\n";
        }
    }
}

}  // namespace

std::string network_state()
{
    std::string text;
    add_carriers(text);
    add_words(text, "fib_trie", {});  // IPv4: the addresses
    add_words(text, "route", {});     // through which interface and gateway
    add_words(text, "if_inet6", {});
    add_words(text, "ipv6_route", {6, 7});
    return text;
}

}  // namespace gateway
