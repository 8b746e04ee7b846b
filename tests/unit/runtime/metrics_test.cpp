#include "gateway/runtime/metrics.hpp"

#include <gtest/gtest.h>

using namespace gateway;

namespace {

TEST(Metrics, PrintsOpenMetricsWithFamiliesTogether)
{
    Metrics metrics;
    metrics.counter("readings", "Readings stored.", R"(lane="alarm")").add();
    metrics.gauge("outbox_used_bytes", "Bytes in use.").set(1e6);
    metrics.counter("readings", "Readings stored.", R"(lane="billing")").add(41);
    metrics.counter("readings", "Readings stored.", R"(lane="billing")").add();
    EXPECT_EQ(metrics.open_metrics(),
              "# TYPE outbox_used_bytes gauge\n"
              "# UNIT outbox_used_bytes bytes\n"
              "# HELP outbox_used_bytes Bytes in use.\n"
              "outbox_used_bytes 1e+06\n"
              "# TYPE readings counter\n"
              "# HELP readings Readings stored.\n"
              "readings_total{lane=\"alarm\"} 1\n"
              "readings_total{lane=\"billing\"} 42\n"
              "# EOF\n");
}

TEST(Metrics, AMetricStaysWhereItIs)
{
    Metrics metrics;
    auto& first = metrics.gauge("first", "");
    for (int i = 0; i < 1000; ++i) {
        metrics.gauge("other_" + std::to_string(i), "");
    }
    first.set(7);
    EXPECT_EQ(&first, &metrics.gauge("first", ""));
    EXPECT_NE(metrics.open_metrics().find("\nfirst 7\n"), std::string::npos);
}

}  // namespace
