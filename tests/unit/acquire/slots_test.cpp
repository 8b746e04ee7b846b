#include "tests/unit/acquire/supervisor_fixture.hpp"

#include <random>

namespace asio = boost::asio;

namespace gateway::slots_test {

using namespace std::chrono_literals;

namespace {

/// A device that does anything: fails in every way, forgets points, answers late.
struct SlotsTest : SupervisorTest, testing::WithParamInterface<unsigned> {
    std::mt19937 random{GetParam()};

    unsigned below(unsigned end) { return static_cast<unsigned>(random() % end); }

    Sample anything(std::uint16_t row)
    {
        switch (below(6)) {
            case 0:
                return failure(row, exception_cause(2));
            case 1:
                return sample(static_cast<std::uint16_t>(below(8)), Value::integer(1));
            case 2:
                return sample(row, Value());
            case 3:
                return sample(row, Value::float32(static_cast<float>(below(100))));
            default:
                return sample(row, Value::integer(below(5)));
        }
    }
    void change_mood()
    {
        static const std::vector<Error> failures{Fault::timed_out, Fault::bad_checksum,
                                                 Fault::refused, asio::error::connection_reset};
        delay = below(3) == 0 ? std::chrono::milliseconds(below(25'000)) : 0ms;
        failure_of_all = below(3) == 0 ? std::optional(failures[below(4)]) : std::nullopt;
        sink.room = below(8) != 0;
        if (below(20) == 0) {
            supervisor->maintain(clock.now() + std::chrono::seconds(below(100)));
        }
    }
};

std::vector<Point> points_of_all_kinds()
{
    std::vector<Point> points{point_named("a", 1s),  point_named("b", 1s),  point_named("c", 7s),
                              point_named("d", 10s), point_named("e", 10s), point_named("f", 60s)};
    points[1].report.on_change = true;
    points[2].lane = Lane::billing;
    points[3].report = {.deadband = Fraction(3), .max = 60s};
    points[4].lane = Lane::diagnostic;
    points[5].lane = Lane::billing;
    return points;
}

TEST_P(SlotsTest, ExpectedIsGoodAndOtherAndSuppressedAndMissed)
{
    const auto points = points_of_all_kinds();
    const auto begin = clock.now();
    value = [this](std::uint16_t row) { return anything(row); };
    start(points);
    for (int step = 0; step < 400; ++step) {
        change_mood();
        const auto pause = std::chrono::milliseconds(below(5'000));
        below(30) == 0 ? clock.jump(pause * 100) : clock.advance(pause);
    }
    delay = 0s;
    failure_of_all.reset();
    sink.room = true;
    clock.advance(2min);  // any breaker has closed, nothing is under way
    PerLane<std::uint64_t> passed{};
    for (const auto& point : points) {
        passed[index_of(point.lane)] +=
            static_cast<std::uint64_t>((clock.now() - begin) / point.poll) + 1;
    }
    SlotCounts total;
    for (const auto lane : all_lanes) {
        const auto& slots = sink.slots(lane);
        EXPECT_EQ(slots.expected, passed[index_of(lane)]) << to_string(lane);
        EXPECT_EQ(slots.expected, slots.good + slots.other + slots.suppressed + all_missed(slots));
        std::uint64_t of_points = 0;
        for (const auto& reading : sink.readings(lane)) {
            of_points += reading.alias.row < Alias::first_alarm ? 1U : 0U;
        }
        EXPECT_EQ(of_points, slots.good + slots.other) << to_string(lane);
        total.expected += slots.expected;
    }
    EXPECT_EQ(supervisor->status().slots.expected, total.expected);
}

INSTANTIATE_TEST_SUITE_P(Seeds, SlotsTest, testing::Range(1U, 21U));

/// Ten units on one line. A dead one costs the line its time limit.
struct LineTest : testing::Test {
    asio::io_context io{1};
    ManualClock clock{io};
    Bus line;
    std::shared_ptr<Bus> probes = std::make_shared<Bus>();
    RecordingSink live_sink, dead_sink;
    TaskGroup tasks{io.get_executor()};
    std::vector<std::unique_ptr<ScriptedDriver::Script>> scripts;
    std::vector<std::unique_ptr<Supervisor>> supervisors;

    void add(const std::string& id, Duration period, Duration takes, bool dead)
    {
        auto& script = *scripts.emplace_back(std::make_unique<ScriptedDriver::Script>());
        script.read = [this, takes, dead](PointSet) -> asio::awaitable<Result<Samples>> {
            return exchange(takes, dead);
        };
        supervisors.push_back(std::make_unique<Supervisor>(
            device_of({point_named("a", period)}, id), std::make_unique<ScriptedDriver>(script),
            clock, dead ? dead_sink : live_sink, SupervisorSettings{.probes = probes}));
        tasks.spawn(id, supervisors.back()->run());
    }
    asio::awaitable<Result<Samples>> exchange(Duration takes, bool dead)
    {
        const auto turn = co_await line.take();
        co_await clock.sleep_until(clock.now() + takes);
        if (dead) {
            co_return Fault::timed_out;
        }
        Samples samples{sample(0, Value::integer(1))};
        co_return samples;
    }
    ~LineTest() override
    {
        tasks.cancel();
        io.restart();
        io.poll();
    }
};

TEST_F(LineTest, S43_WithNineOfTenDeadTheLiveOneKeepsItsPeriod)
{
    for (int i = 0; i < 9; ++i) {
        add("dead-" + std::to_string(i), 10s, 900ms, true);
    }
    add("live", 10s, 50ms, false);
    clock.advance(5min);
    live_sink.readings().clear();
    clock.advance(1h);
    const auto& readings = live_sink.readings();
    EXPECT_GE(readings.size(), 359U);
    for (std::size_t i = 1; i < readings.size(); ++i) {
        const auto gap = readings[i].time - readings[i - 1].time;
        ASSERT_LE(std::chrono::abs(gap - 10s), 900ms) << "one exchange cannot be cut short";
    }
    EXPECT_EQ(all_missed(live_sink.slots()), 0U);
}

TEST_F(LineTest, D10_With16Of64DeadTheLiveOnesKeepTheirPeriod)
{
    for (int i = 0; i < 16; ++i) {
        add("dead-" + std::to_string(i), 10s, 900ms, true);
    }
    for (int i = 0; i < 48; ++i) {
        add("live-" + std::to_string(i), 10s, 50ms, false);
    }
    clock.advance(5min);
    const auto before = live_sink.slots();
    clock.advance(10min);
    const auto& after = live_sink.slots();
    EXPECT_EQ(after.expected - before.expected, 48U * 60U);
    EXPECT_EQ(all_missed(after), all_missed(before));
}

}  // namespace

}  // namespace gateway::slots_test
