#include "gateway/app/bus_scan.hpp"

#include <gtest/gtest.h>

#include <array>
#include <utility>

namespace gateway::scan_test {

namespace {

// As people write it, and as `add` is told to take it.
constexpr std::array<std::pair<const char*, const char*>, 7> buses{
    {{"10.0.0.5", "tcp=10.0.0.5:502"},
     {"meter.example:1502", "tcp=meter.example:1502"},
     {"[::1]", "tcp=[::1]:502"},
     {"[fd00::5]:1502", "tcp=[fd00::5]:1502"},
     {"tcp=[::1]:502", "tcp=[::1]:502"},
     {"rtu_over_tcp=10.0.0.5:4001", "rtu_over_tcp=10.0.0.5:4001"},
     {"serial=/dev/ttyUSB0,baud=9600,parity=even", "serial=/dev/ttyUSB0,baud=9600,parity=even"}}};

TEST(ScanRequest, ReadsABusAsConnectOfTheSiteFile)
{
    for (const auto& [bus, connect] : buses) {
        EXPECT_EQ(bus_as_connect(bus), connect);
        Mistakes mistakes;
        const auto request = scan_request(bus, mistakes);
        EXPECT_TRUE(mistakes.empty()) << mistakes.text();
        const std::string text(connect);
        const auto equals = text.find('=');
        EXPECT_EQ(get(request.connect, text.substr(0, equals), std::string()),
                  text.substr(equals + 1, text.find(',') - equals - 1));
    }
    EXPECT_EQ(bus_as_connect("/dev/ttyUSB0"), "serial=/dev/ttyUSB0");
    EXPECT_EQ(bus_as_connect(" { tcp = \"[::1]:502\" } "), "tcp = \"[::1]:502\"");
}

TEST(ScanRequest, WhatIsNoBusIsAMistake)
{
    for (const auto* bus : {"", "::1", "/dev/ttyUSB0", "10.0.0.5:x", "a\nb", "tcp=[::1]",
                            "serial=/dev/x,baud=fast"}) {
        Mistakes mistakes;
        scan_request(bus, mistakes);
        EXPECT_FALSE(mistakes.empty()) << bus;
    }
}

}  // namespace

}  // namespace gateway::scan_test
