#include "gateway/mqtt/threads.hpp"

#include <future>
#include <system_error>
#include <thread>

namespace gateway::mqtt {

bool can_start_threads()
{
    std::promise<void> tried;
    const auto wait = [until = tried.get_future().share()] { until.wait(); };
    bool started = false;
    std::jthread first;
    std::jthread second;
    try {
        first = std::jthread(wait);
        second = std::jthread(wait);
        started = true;
    } catch (const std::system_error&) {
        started = false;
    }
    tried.set_value();
    return started;
}

}  // namespace gateway::mqtt
