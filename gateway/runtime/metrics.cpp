#include "gateway/runtime/metrics.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace gateway {

namespace {

constexpr std::array<std::string_view, 4> units{"seconds", "bytes", "celsius", "ratio"};

std::string_view unit_of(std::string_view name)
{
    const auto last = name.substr(name.rfind('_') + 1);
    return std::find(units.begin(), units.end(), last) == units.end() ? std::string_view() : last;
}

void append_number(std::string& text, double number)
{
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    text.append(digits.data(), end);
}

}  // namespace

Metric& Metrics::counter(std::string_view name, std::string_view help, std::string_view labels)
{
    return entry(name, help, labels, true);
}

Metric& Metrics::gauge(std::string_view name, std::string_view help, std::string_view labels)
{
    return entry(name, help, labels, false);
}

Metric& Metrics::entry(std::string_view name, std::string_view help, std::string_view labels,
                       bool counts)
{
    const auto same = [&](const Entry& known) {
        return known.name == name && known.labels == labels;
    };
    const auto known = std::find_if(entries_.begin(), entries_.end(), same);
    if (known != entries_.end()) {
        return known->metric;
    }
    auto& added = entries_.emplace_back();
    added.name = name;
    added.help = help;
    added.labels = labels;
    added.counts = counts;
    return added.metric;
}

std::string Metrics::open_metrics() const
{
    std::vector<const Entry*> sorted;
    for (const auto& entry : entries_) {
        sorted.push_back(&entry);
    }
    const auto by_name = [](const Entry* a, const Entry* b) { return a->name < b->name; };
    std::stable_sort(sorted.begin(), sorted.end(), by_name);
    std::string text;
    std::string_view family;
    for (const auto* entry : sorted) {
        if (entry->name != family) {
            family = entry->name;
            text += "# TYPE " + entry->name + (entry->counts ? " counter\n" : " gauge\n");
            if (const auto unit = unit_of(family); !unit.empty()) {
                text += "# UNIT " + entry->name + ' ' + std::string(unit) + '\n';
            }
            text += "# HELP " + entry->name + ' ' + entry->help + '\n';
        }
        text += entry->name + (entry->counts ? "_total" : "");
        text += entry->labels.empty() ? " " : '{' + entry->labels + "} ";
        append_number(text, entry->metric.value());
        text += '\n';
    }
    return text + "# EOF\n";
}

}  // namespace gateway
