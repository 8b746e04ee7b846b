#include "drivers/mqtt_json/topic.hpp"

namespace gateway::mqtt_json {

bool matches(std::string_view filter, std::string_view topic)
{
    if (topic.starts_with('$') != filter.starts_with('$')) {
        return false;
    }
    for (;;) {
        const auto wanted = filter.substr(0, filter.find('/'));
        if (wanted == "#") {
            return true;
        }
        const auto level = topic.substr(0, topic.find('/'));
        if (wanted != "+" && wanted != level) {
            return false;
        }
        const bool filter_ends = wanted.size() == filter.size();
        const bool topic_ends = level.size() == topic.size();
        if (topic_ends) {
            return filter_ends || filter.substr(wanted.size()) == "/#";
        }
        if (filter_ends) {
            return false;
        }
        filter.remove_prefix(wanted.size() + 1);
        topic.remove_prefix(level.size() + 1);
    }
}

}  // namespace gateway::mqtt_json
