#include "gateway/app/figures.hpp"

#include <gtest/gtest.h>

#include <set>
#include <sstream>

namespace gateway::figures_test {

using namespace std::chrono_literals;

namespace {

std::set<std::string> families(const std::string& page)
{
    std::set<std::string> found;
    std::istringstream lines(page);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("# TYPE ")) {
            EXPECT_TRUE(found.insert(line).second) << "twice: " << line;
        }
    }
    return found;
}

std::size_t count(const std::string& page, const std::string& part)
{
    std::size_t found = 0;
    for (auto at = page.find(part); at != std::string::npos; at = page.find(part, at + 1)) {
        ++found;
    }
    return found;
}

bool has(const std::string& page, const std::string& line)
{
    return page.find('\n' + line + '\n') != std::string::npos;
}

/// A box of which everything is known.
BoxFigures busy_box()
{
    BoxFigures box{.box = "box-1", .org = "place-1", .now = Instant(100s)};
    box.clock = {.wall = WallTime(5000ms), .state = ClockState::synced, .error_ms = 250};
    box.certificate_ends = WallTime(1'000'000ms);
    EpochState before, current;
    before.lanes[index_of(Lane::billing)].queued = 3;
    current.lanes[index_of(Lane::billing)] = {.head = 12, .queued = 4};
    box.store = {.epochs = {before, current}};
    box.store->received[index_of(Lane::billing)] = 8;
    box.store->use.declared_lost[index_of(Lane::diagnostic)] = 5;
    box.uplink = UplinkStatus{.connected = true};
    box.uplink->last_receipt = WallTime(4500ms);
    DeviceStatus meter;
    meter.answering = true;
    meter.last_good = BootTime(90s);
    meter.slots.missed = {{Cause::timeout, 2}, {exception_cause(2), 3}, {exception_cause(4), 4}};
    box.devices.push_back({"meter", meter});
    return box;
}

std::string page_of(const BoxFigures& box)
{
    return metrics_page(box, MetricsFormat::open_metrics);
}

TEST(BoxFiguresPage, SaysWhatIsKnown)
{
    const auto page = page_of(busy_box());
    EXPECT_TRUE(has(page, R"(smart_gateway_clock_state{state="synced"} 1)")) << page;
    EXPECT_TRUE(has(page, "smart_gateway_clock_error_seconds 0.25"));
    EXPECT_TRUE(has(page, "smart_gateway_certificate_end_timestamp_seconds 1000"));
    EXPECT_TRUE(has(page, R"(smart_gateway_outbox_queued_readings{lane="billing"} 7)"));
    EXPECT_TRUE(has(page, R"(smart_gateway_readings_numbered_total{lane="billing"} 12)"));
    EXPECT_TRUE(has(page, R"(smart_gateway_readings_delivered_total{lane="billing"} 8)"));
    EXPECT_TRUE(has(page, R"(smart_gateway_readings_declared_lost_total{lane="diagnostic"} 5)"));
    EXPECT_TRUE(has(page, "smart_gateway_uplink_receipt_timestamp_seconds 4.5"));
    EXPECT_TRUE(has(page, R"(smart_gateway_device_good_reading_age_seconds{device="meter"} 10)"));
}

TEST(BoxFiguresPage, CodesOfADeviceAreOneCause)
{
    const auto page = page_of(busy_box());
    EXPECT_TRUE(
        has(page, R"(smart_gateway_device_missed_slots_total{device="meter",cause="timeout"} 2)"));
    EXPECT_TRUE(has(
        page, R"(smart_gateway_device_missed_slots_total{device="meter",cause="exception"} 7)"));
}

TEST(BoxFiguresPage, WhatIsNotKnownIsLeftOutAndItsFamilyIsNot)
{
    const auto page = page_of(BoxFigures{});
    EXPECT_EQ(families(page), families(page_of(busy_box())));
    for (const auto* name :
         {"smart_gateway_store_usable", "smart_gateway_disk_free_bytes",
          "smart_gateway_readings_delivered_total", "smart_gateway_clock_error_seconds",
          "smart_gateway_certificate_end_timestamp_seconds"}) {
        EXPECT_EQ(page.find(std::string("\n") + name), std::string::npos) << name;
    }
    EXPECT_TRUE(has(page, "smart_gateway_uplink_configured 0"));
}

TEST(BoxFiguresPage, OfManyDevicesOnlySomeAreListed)
{
    BoxFigures box;
    for (std::size_t i = 0; i < most_devices_listed + 100; ++i) {
        box.devices.push_back({"device-" + std::to_string(i), {}});
    }
    const auto page = page_of(box);
    EXPECT_TRUE(has(page, "smart_gateway_devices 600"));
    EXPECT_EQ(count(page, "\nsmart_gateway_device_answering{"), most_devices_listed);
    EXPECT_LT(page.size(), 1U << 20U);
}

}  // namespace

}  // namespace gateway::figures_test
