#pragma once

#include "gateway/core/json.hpp"
#include "gateway/runtime/task_group.hpp"
#include "gateway/store/intake.hpp"
#include "gateway/store/spool.hpp"
#include "tests/support/loop.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/unit/store/outbox_fixture.hpp"

#include <filesystem>

namespace gateway {

using namespace std::chrono_literals;

/// The loop's side and the worker's side of one store, as the application wires them.
struct Box {
    explicit Box(const OutboxSettings& settings, const IntakeSettings& intake_settings)
        : outbox(settings),
          intake(loop.get_executor(), worker, outbox, clock, intake_settings),
          tasks(loop.get_executor())
    {
        intake.on_durable([this](const std::vector<StoredBatch>& batches) {
            durable.insert(durable.end(), batches.begin(), batches.end());
        });
        intake.on_event([this](const Event& event) { events.push_back(event); });
        test::run_test(loop, intake.recover_spool());
    }
    ~Box()
    {
        tasks.cancel();
        test::run_test(loop, tasks.join());
        worker.join();
    }
    Box(const Box&) = delete;
    Box& operator=(const Box&) = delete;

    void start() { tasks.spawn("intake", intake.run()); }
    bool comes(std::function<bool()> holds)
    {
        bool came = false;
        auto wait = [](std::function<bool()> condition,
                       bool& result) -> boost::asio::awaitable<void> {
            result = co_await test::eventually(std::move(condition));
        };
        test::run_test(loop, wait(std::move(holds), came));
        return came;
    }
    void announce(std::uint16_t device, DictionaryHash hash)
    {
        test::run_test(loop, intake.announce(device, hash, R"({"device":{"id":"meter-3"}})"));
    }
    void flush() { test::run_test(loop, intake.flush()); }
    std::size_t batches(Lane lane) const
    {
        return static_cast<std::size_t>(std::ranges::count(durable, lane, &StoredBatch::lane));
    }

    boost::asio::io_context loop;
    ManualClock clock{loop};
    Worker worker;
    Outbox outbox;
    Intake intake;
    TaskGroup tasks;
    std::vector<StoredBatch> durable;
    std::vector<Event> events;
};

class IntakeTest : public testing::Test {
protected:
    IntakeTest()
    {
        spool_settings_.interval = {0s, 0s, 5s, 10s, 60s};
        spool_settings_.spool_directory = directory_.path() + "/spool";
        outbox_settings_.directory = directory_.path() + "/state";
        outbox_settings_.box = "place-1714000.box-0001";
        outbox_settings_.boot = example_header().boot;
    }

    Box& box()
    {
        if (!box_) {
            box_ = std::make_unique<Box>(outbox_settings_, spool_settings_);
        }
        return *box_;
    }
    void stop_box() { box_.reset(); }

    /// Device 1 is announced; only its telemetry interests.
    Box& running_box()
    {
        box().announce(1, 11);
        box().flush();
        box().durable.clear();
        box().start();
        return box();
    }

    std::vector<Reading> readings(std::size_t count, std::uint16_t device = 1)
    {
        std::vector<Reading> made;
        const auto now = std::chrono::floor<std::chrono::milliseconds>(box().clock.now());
        for (std::size_t i = 0; i < count; ++i) {
            made.push_back({{device, 1}, now, Value::integer(++number_), {}, {}, {}});
        }
        return made;
    }
    std::size_t spool_files() const
    {
        const std::filesystem::directory_iterator files(spool_settings_.spool_directory);
        return static_cast<std::size_t>(std::distance(begin(files), end(files)));
    }

    TemporaryDirectory directory_;
    IntakeSettings spool_settings_;
    OutboxSettings outbox_settings_;
    std::unique_ptr<Box> box_;
    std::int64_t number_ = 0;
};

}  // namespace gateway
