#pragma once

#include "gateway/runtime/histogram.hpp"

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace gateway {

/// OpenMetrics 1.0, or the older text of Prometheus (0.0.4) for readers that ask for that.
enum class MetricsFormat : std::uint8_t { open_metrics, plain };

using MetricLabels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// A time as a metric tells it: Unix time.
template <typename Length>
double timestamp_of(std::chrono::sys_time<Length> time)
{
    return std::chrono::duration<double>(time.time_since_epoch()).count();
}

/// The figures of a program as a scraper reads them, written one family after the other: name and
/// help first, then its samples. Names end in their unit; a counter is named without `_total`.
class MetricsPage {
public:
    explicit MetricsPage(MetricsFormat format) : format_(format) {}

    MetricsPage& counter(std::string_view name, std::string_view help)
    {
        return family(name, help, "counter");
    }
    MetricsPage& gauge(std::string_view name, std::string_view help)
    {
        return family(name, help, "gauge");
    }
    template <std::size_t Size>
    void histogram(std::string_view name, std::string_view help, const Histogram<Size>& values)
    {
        family(name, help, "histogram");
        buckets(values.bounds, values.counts, values.sum);
    }

    /// A sample of the family begun last.
    template <typename Number>
    requires std::is_arithmetic_v<Number> MetricsPage& add(Number value, MetricLabels labels = {})
    {
        sample(counts_ ? "_total" : "", labels, static_cast<double>(value));
        return *this;
    }

    /// The whole page; nothing can be added after it.
    std::string take() &&;

private:
    MetricsPage& family(std::string_view name, std::string_view help, std::string_view type);
    void sample(std::string_view suffix, MetricLabels labels, double value);
    void buckets(std::span<const double> bounds, std::span<const std::uint64_t> counts, double sum);

    MetricsFormat format_;
    std::string text_;
    std::string name_;  // of the family begun last
    bool counts_ = false;
};

}  // namespace gateway
