#pragma once

#include "gateway/acquire/supervisor.hpp"

#include "gateway/runtime/task_group.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/unit/acquire/device.hpp"

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

namespace gateway {

/// One supervised device on a clock that stands still.
struct SupervisorTest : testing::Test {
    boost::asio::io_context io{1};
    ManualClock clock{io};
    RecordingSink sink;
    ScriptedDriver::Script script{.read = [this](PointSet due) { return answer(due); }};
    TaskGroup tasks{io.get_executor()};
    std::vector<Event> events;
    std::vector<Identified> announced;
    std::unique_ptr<Supervisor> supervisor;

    // What the device says: these, or this failure of the whole, after this time.
    std::function<Sample(std::uint16_t row)> value = [](std::uint16_t row) {
        return sample(row, Value::integer(row));
    };
    std::optional<Error> failure_of_all;
    Duration delay{};

    boost::asio::awaitable<Result<Samples>> answer(PointSet due)
    {
        co_await clock.sleep_until(clock.now() + delay);
        if (failure_of_all) {
            co_return *failure_of_all;
        }
        Samples samples;
        for (const auto row : due) {
            samples.push_back(value(row));
        }
        co_return samples;
    }

    SupervisorSettings settings()
    {
        auto hook = [this](Identified identified) -> boost::asio::awaitable<void> {
            announced.push_back(std::move(identified));
            co_return;
        };
        return {.identified = hook,
                .event = [this](const Event& event) { events.push_back(event); }};
    }
    void start(DeviceConfig device)
    {
        supervisor = std::make_unique<Supervisor>(
            std::move(device), std::make_unique<ScriptedDriver>(script), clock, sink, settings());
        tasks.spawn("meter", supervisor->run());
        clock.advance(Duration::zero());
    }
    void start(std::vector<Point> points) { start(device_of(std::move(points))); }

    std::vector<Reading> of_row(std::uint16_t row, Lane lane = Lane::telemetry)
    {
        std::vector<Reading> found;
        for (const auto& reading : sink.readings(lane)) {
            if (reading.alias.row == row) {
                found.push_back(reading);
            }
        }
        return found;
    }
    std::vector<std::string> codes() const
    {
        std::vector<std::string> all;
        for (const auto& event : events) {
            all.push_back(event.code);
        }
        return all;
    }
    ~SupervisorTest() override
    {
        tasks.cancel();
        io.restart();
        io.poll();
    }
};

}  // namespace gateway
