#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace gateway {

/// A number that parts move and the admin prints. From any thread.
class Metric {
public:
    void add(double by = 1)
    {
        auto old = value_.load(std::memory_order_relaxed);
        while (!value_.compare_exchange_weak(old, old + by, std::memory_order_relaxed)) {
        }
    }
    void set(double value) { value_.store(value, std::memory_order_relaxed); }
    double value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<double> value_ = 0;
};

/// The metrics of the process, printed as OpenMetrics text. Metrics are added on the loop and live
/// as long as the registry.
class Metrics {
public:
    /// `name` ends in its unit (`outbox_used_bytes`) and without `_total`, which the text gets.
    /// `labels` is as printed, `lane="alarm"`, or empty. Asked for twice it is the same metric.
    Metric& counter(std::string_view name, std::string_view help, std::string_view labels = {});
    Metric& gauge(std::string_view name, std::string_view help, std::string_view labels = {});

    /// Ends with `# EOF`; metrics of one name stand together.
    std::string open_metrics() const;

private:
    struct Entry {
        std::string name, help, labels;
        bool counts = false;
        Metric metric;
    };

    Metric& entry(std::string_view name, std::string_view help, std::string_view labels,
                  bool counts);

    std::deque<Entry> entries_;
};

}  // namespace gateway
