#include "gateway/mqtt/tls_turn.hpp"

#include "gateway/mqtt/paho.hpp"

#include <algorithm>
#include <deque>
#include <mutex>
#include <utility>

namespace gateway::mqtt::tls_turn {

namespace {

struct Waiting {
    const void* who;
    std::function<void()> go;
};

/// The first has the turn.
struct Line {
    std::mutex mutex;
    std::deque<Waiting> line;
};

Line& line()
{
    static Line instance;
    return instance;
}

}  // namespace

void take(const void* who, std::function<void()> go)
{
    auto& all = line();
    {
        const std::lock_guard lock(all.mutex);
        all.line.push_back({who, go});
        if (all.line.size() > 1) {
            return;
        }
    }
    go();
}

void end(const void* who)
{
    auto& all = line();
    std::function<void()> next;
    {
        const std::lock_guard lock(all.mutex);
        const auto place = std::ranges::find(all.line, who, &Waiting::who);
        if (place == all.line.end()) {
            return;
        }
        const bool had_turn = place == all.line.begin();
        all.line.erase(place);
        if (had_turn) {
            expect_anything();
            next = all.line.empty() ? nullptr : all.line.front().go;
        }
    }
    if (next) {
        next();
    }
}

}  // namespace gateway::mqtt::tls_turn
