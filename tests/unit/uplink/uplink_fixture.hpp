#pragma once

#include "gateway/runtime/system_clock.hpp"
#include "gateway/runtime/task_group.hpp"
#include "gateway/store/outbox.hpp"
#include "gateway/uplink/uplink.hpp"
#include "tests/support/broker.hpp"
#include "tests/support/loop.hpp"
#include "tests/support/platform.hpp"
#include "tests/support/proxy.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace gateway::test {

/// A box without devices: the test commits batches, a real outbox and a real broker carry them to
/// a platform of the test.
class UplinkTest : public testing::Test {
protected:
    static constexpr const char* org = "place-1";
    static constexpr const char* box = "place-1.box-1";

    UplinkTest() { open_outbox(); }
    ~UplinkTest() override
    {
        uplink.reset();
        mqtt.join();
        store.join();
    }

    void open_outbox() { open_outbox((folder.path() / "state").string()); }
    /// While no uplink runs.
    void open_outbox(const std::string& directory)
    {
        outbox.reset();
        OutboxSettings settings;
        settings.directory = directory;
        settings.box = box;
        settings.boot = BootId::random();
        outbox = std::make_unique<Outbox>(settings);
        outbox->put_dictionary(dictionary, "{}");
    }
    void use_broker(const std::string& settings = "",
                    const std::map<std::string, std::string>& files = {})
    {
        broker.emplace(settings, files);
        platform = std::make_unique<Platform>(broker->port(), org, box);
    }
    UplinkConfig config(std::uint16_t port) const
    {
        UplinkConfig config;
        config.org = org;
        config.box = box;
        config.settings.tls = false;
        config.settings.host = "127.0.0.1";
        config.settings.port = port;
        config.answer_timeout = std::chrono::seconds(5);
        config.backoff.first = std::chrono::milliseconds(20);
        config.backoff.most = std::chrono::milliseconds(50);
        return config;
    }
    void start() { start(config(broker->port())); }
    void start(UplinkConfig with)
    {
        UplinkHooks hooks;
        hooks.birth = [this] { return birth; };
        hooks.on_event = [this](const Event& event) { events.push_back(event); };
        uplink = std::make_unique<Uplink>(loop.get_executor(), store, mqtt, resolver, *outbox,
                                          clock, std::move(with), std::move(hooks));
        tasks.emplace(loop.get_executor());
        tasks->spawn("uplink", uplink->run());
    }
    boost::asio::awaitable<void> stop()
    {
        co_await uplink->stop(std::chrono::seconds(2));
        co_await tasks->join();
        uplink.reset();
    }
    /// As after a kill: nothing is said to anybody.
    boost::asio::awaitable<void> abandon()
    {
        tasks->cancel();
        co_await tasks->join();
        uplink.reset();
    }

    /// Commits `batches` batches of `readings` each, and offers them like the intake does.
    boost::asio::awaitable<void> commit(Lane lane, int batches, int readings = 10)
    {
        for (int at = 0; at < batches; ++at) {
            auto job = [this, lane, readings] {
                Commit commit;
                commit.batches.push_back(pending(lane, readings));
                return outbox->commit(commit);
            };
            const auto stored = co_await store.run(job);
            if (uplink) {
                uplink->offer(stored);
            }
        }
    }
    PendingBatch pending(Lane lane, int count)
    {
        std::vector<Reading> readings;
        for (int at = 0; at < count; ++at) {
            Reading reading;
            reading.alias = {1, static_cast<std::uint16_t>(at % 100)};
            reading.time = BootTime(std::chrono::milliseconds(++value_));
            reading.value = Value::integer(static_cast<std::int64_t>(random_()));
            readings.push_back(reading);
        }
        PendingBatch pending;
        pending.lane = lane;
        pending.opened = readings.front().time;
        pending.dictionaries.push_back({1, dictionary});
        pending.readings = CompactReadings(readings);
        return pending;
    }
    /// Every sequence that was given is at the platform, and no row is left here.
    bool all_delivered()
    {
        for (const auto& epoch : outbox->epochs()) {
            for (const auto lane : all_lanes) {
                const auto& counters = epoch.lanes[index_of(lane)];
                if (counters.head > 0 &&
                    (counters.first_held <= counters.head ||
                     !platform->committed(epoch.id, lane).contains({1, counters.head}))) {
                    return false;
                }
            }
        }
        return true;
    }
    /// Waits until all_delivered(), with the platform at work.
    boost::asio::awaitable<bool> delivered(std::chrono::seconds limit = std::chrono::seconds(20))
    {
        const auto deadline = std::chrono::steady_clock::now() + limit;
        while (std::chrono::steady_clock::now() < deadline) {
            auto ask = [this] { return all_delivered(); };
            if (co_await store.run(ask)) {
                co_return true;
            }
            co_await until([] { return false; }, std::chrono::milliseconds(10));
        }
        co_return false;
    }
    /// What the outbox counts for the lane of the current epoch.
    boost::asio::awaitable<LaneCounters> counters(Lane lane)
    {
        auto ask = [this, lane] { return outbox->epochs().back().lanes[index_of(lane)]; };
        co_return co_await store.run(ask);
    }
    boost::asio::awaitable<std::optional<std::string>> remembered(std::string key)
    {
        auto ask = [this, key] { return outbox->state(key); };
        co_return co_await store.run(ask);
    }
    /// Waits on the loop, with the platform at work.
    boost::asio::awaitable<bool> until(std::function<bool()> holds,
                                       std::chrono::milliseconds limit = std::chrono::seconds(10))
    {
        auto pumped = [this, holds = std::move(holds)] {
            platform->pump();
            return holds();
        };
        co_return co_await eventually(std::move(pumped), limit);
    }
    void run(boost::asio::awaitable<void> body,
             std::chrono::seconds limit = std::chrono::seconds(30))
    {
        run_test(loop, std::move(body), limit);
    }
    std::size_t arrived() const { return platform->arrivals().size(); }

    static constexpr DictionaryHash dictionary = 0x0123456789abcdef;

    boost::asio::io_context loop;
    TemporaryFolder folder;
    std::optional<Broker> broker;
    std::unique_ptr<Platform> platform;
    Worker store, mqtt;
    Resolver resolver{loop.get_executor()};
    SystemClock clock{loop.get_executor()};
    std::unique_ptr<Outbox> outbox;
    std::vector<Event> events;
    BirthInput birth;
    std::optional<TaskGroup> tasks;
    std::unique_ptr<Uplink> uplink;

private:
    std::int64_t value_ = 0;
    std::mt19937 random_{1};  // values that do not compress
};

}  // namespace gateway::test
