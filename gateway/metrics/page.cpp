#include "gateway/metrics/page.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace gateway {

namespace {

constexpr std::array<std::string_view, 3> units{"seconds", "bytes", "ratio"};
constexpr double exact_integers = 9'007'199'254'740'992;  // 2^53

std::string_view unit_of(std::string_view name)
{
    const auto last = name.substr(name.rfind('_') + 1);
    return std::find(units.begin(), units.end(), last) == units.end() ? std::string_view() : last;
}

std::string number_text(double number)
{
    std::array<char, 32> digits{};
    auto* const begin = digits.data();
    auto* const end = begin + digits.size();
    const bool is_whole = std::abs(number) < exact_integers && std::trunc(number) == number;
    const auto written = is_whole ? std::to_chars(begin, end, static_cast<std::int64_t>(number))
                                  : std::to_chars(begin, end, number);
    return {begin, written.ptr};
}

void append_quoted(std::string& text, std::string_view value)
{
    text += '"';
    for (const char character : value) {
        if (character == '\n') {
            text += "\\n";
            continue;
        }
        if (character == '"' || character == '\\') {
            text += '\\';
        }
        text += character;
    }
    text += '"';
}

}  // namespace

MetricsPage& MetricsPage::family(std::string_view name, std::string_view help,
                                 std::string_view type)
{
    name_ = name;
    counts_ = type == "counter";
    const bool is_open = format_ == MetricsFormat::open_metrics;
    const auto told = name_ + (counts_ && !is_open ? "_total" : "");
    text_.append("# TYPE ").append(told).append(" ").append(type).append("\n");
    if (const auto unit = unit_of(name); is_open && !unit.empty()) {
        text_.append("# UNIT ").append(told).append(" ").append(unit).append("\n");
    }
    text_.append("# HELP ").append(told).append(" ").append(help).append("\n");
    return *this;
}

void MetricsPage::sample(std::string_view suffix, MetricLabels labels, double value)
{
    text_.append(name_).append(suffix);
    char before = '{';
    for (const auto& [name, content] : labels) {
        text_ += before;
        text_.append(name).append("=");
        append_quoted(text_, content);
        before = ',';
    }
    text_.append(labels.size() == 0 ? " " : "} ").append(number_text(value)).append("\n");
}

void MetricsPage::buckets(std::span<const double> bounds, std::span<const std::uint64_t> counts,
                          double sum)
{
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        below += counts[i];
        auto bound = i < bounds.size() ? number_text(bounds[i]) : "+Inf";
        if (bound.find_first_of(".eI") == std::string::npos) {
            bound += ".0";  // the canonical form of OpenMetrics
        }
        sample("_bucket", {{"le", bound}}, static_cast<double>(below));
    }
    sample("_count", {}, static_cast<double>(below));
    sample("_sum", {}, sum);
}

std::string MetricsPage::take() &&
{
    if (format_ == MetricsFormat::open_metrics) {
        text_ += "# EOF\n";
    }
    return std::move(text_);
}

}  // namespace gateway
