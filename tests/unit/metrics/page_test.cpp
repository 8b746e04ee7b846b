#include "gateway/metrics/page.hpp"
#include "gateway/metrics/process.hpp"

#include <gtest/gtest.h>

using namespace gateway;

namespace {

std::string page_of_everything(MetricsFormat format)
{
    MetricsPage page(format);
    page.counter("town_readings", "Readings stored.")
        .add(1, {{"lane", "alarm"}})
        .add(41, {{"lane", "billing"}});
    page.counter("town_sent_bytes", "Bytes sent.").add(12'000'000'000'000ULL);
    page.gauge("town_used_bytes", "Bytes in use.").add(0.5);
    page.gauge("town_nothing_seconds", "Not known yet.");
    Histogram<2> late{.bounds = {0.1, 10}};
    late.add(0.1);
    late.add(11);
    page.histogram("town_late_seconds", "How late.", late);
    return std::move(page).take();
}

TEST(MetricsPage, IsOpenMetricsWithUnitsAndAnEnd)
{
    EXPECT_EQ(page_of_everything(MetricsFormat::open_metrics),
              "# TYPE town_readings counter\n"
              "# HELP town_readings Readings stored.\n"
              "town_readings_total{lane=\"alarm\"} 1\n"
              "town_readings_total{lane=\"billing\"} 41\n"
              "# TYPE town_sent_bytes counter\n"
              "# UNIT town_sent_bytes bytes\n"
              "# HELP town_sent_bytes Bytes sent.\n"
              "town_sent_bytes_total 12000000000000\n"
              "# TYPE town_used_bytes gauge\n"
              "# UNIT town_used_bytes bytes\n"
              "# HELP town_used_bytes Bytes in use.\n"
              "town_used_bytes 0.5\n"
              "# TYPE town_nothing_seconds gauge\n"
              "# UNIT town_nothing_seconds seconds\n"
              "# HELP town_nothing_seconds Not known yet.\n"
              "# TYPE town_late_seconds histogram\n"
              "# UNIT town_late_seconds seconds\n"
              "# HELP town_late_seconds How late.\n"
              "town_late_seconds_bucket{le=\"0.1\"} 1\n"
              "town_late_seconds_bucket{le=\"10.0\"} 1\n"
              "town_late_seconds_bucket{le=\"+Inf\"} 2\n"
              "town_late_seconds_count 2\n"
              "town_late_seconds_sum 11.1\n"
              "# EOF\n");
}

TEST(MetricsPage, InTheOlderTextCountersAreNamedInFullAndThereIsNoEnd)
{
    const auto text = page_of_everything(MetricsFormat::plain);
    EXPECT_NE(text.find("# TYPE town_readings_total counter\n"
                        "# HELP town_readings_total Readings stored.\n"
                        "town_readings_total{lane=\"alarm\"} 1\n"),
              std::string::npos)
        << text;
    EXPECT_EQ(text.find("# UNIT"), std::string::npos);
    EXPECT_EQ(text.find("# EOF"), std::string::npos);
}

TEST(MetricsPage, LabelsFromOutsideStayInsideTheirQuotes)
{
    MetricsPage page(MetricsFormat::open_metrics);
    page.gauge("town", "A town.").add(1, {{"name", "a\"} 2\nb\\"}});
    EXPECT_NE(std::move(page).take().find("town{name=\"a\\\"} 2\\nb\\\\\"} 1\n"),
              std::string::npos);
}

double value_of(const std::string& page, const std::string& name)
{
    const auto at = page.find('\n' + name + ' ');
    EXPECT_NE(at, std::string::npos) << name;
    return at == std::string::npos ? 0 : std::stod(page.substr(at + name.size() + 2));
}

TEST(MetricsPage, TellsOfTheProcessWhatTheKernelSays)
{
    MetricsPage page(MetricsFormat::open_metrics);
    add_process(page);
    const auto text = std::move(page).take();
    const auto now =
        std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch());
    EXPECT_GT(value_of(text, "process_cpu_seconds_total"), 0);
    EXPECT_GT(value_of(text, "process_resident_memory_bytes"), 1e5);
    EXPECT_GT(value_of(text, "process_virtual_memory_bytes"),
              value_of(text, "process_resident_memory_bytes"));
    EXPECT_GE(value_of(text, "process_open_fds"), 3);
    EXPECT_GE(value_of(text, "process_max_fds"), value_of(text, "process_open_fds"));
    EXPECT_LE(value_of(text, "process_start_time_seconds"), now.count() + 1);
    EXPECT_GT(value_of(text, "process_start_time_seconds"), now.count() - 600);
}

}  // namespace
