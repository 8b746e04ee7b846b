#include "gateway/store/thinning.hpp"

#include "tests/unit/store/intake_fixture.hpp"

namespace gateway {
namespace {

TEST(Thinning, GrowsWithWhatIsUsedUpToAnHour)
{
    Thinning thinning;
    EXPECT_FALSE(thinning.update(0));
    EXPECT_FALSE(thinning.update(79));
    EXPECT_EQ(thinning.distance(), 0s);
    EXPECT_TRUE(thinning.update(80));
    EXPECT_EQ(thinning.distance(), 1min);
    EXPECT_FALSE(thinning.update(80));
    EXPECT_TRUE(thinning.update(83));
    EXPECT_EQ(thinning.distance(), 8min);
    EXPECT_TRUE(thinning.update(86));
    EXPECT_EQ(thinning.distance(), 1h);
    EXPECT_FALSE(thinning.update(4'000'000'000));
    EXPECT_EQ(thinning.distance(), 1h);
}

TEST(Thinning, EndsOnlyWhenThereIsRoomAgain)
{
    Thinning thinning;
    EXPECT_FALSE(thinning.update(75)) << "it has not begun";
    thinning.update(90);
    EXPECT_TRUE(thinning.update(79));
    EXPECT_EQ(thinning.distance(), 1min);
    EXPECT_FALSE(thinning.update(70));
    EXPECT_TRUE(thinning.update(69));
    EXPECT_EQ(thinning.distance(), 0s);
}

class ThinnedIntake : public IntakeTest {
protected:
    ThinnedIntake() { outbox_settings_.budget_bytes = 200'000; }  // 60,000 of it for telemetry

    std::vector<Reading> noise(std::size_t count)
    {
        auto made = readings(count);
        for (auto& reading : made) {
            reading.value = Value::integer(random_.next() >> 1);
        }
        return made;
    }
    std::size_t told(const std::string& code)
    {
        return static_cast<std::size_t>(std::ranges::count(box().events, code, &Event::code));
    }
    /// What the store says, on its worker.
    template <typename Ask>
    auto at_store(Ask ask)
    {
        std::invoke_result_t<Ask> answer{};
        auto job = [](Worker& worker, Ask asked, auto& result) -> boost::asio::awaitable<void> {
            result = co_await worker.run(asked);
        };
        test::run_test(box().loop, job(box().worker, ask, answer));
        return answer;
    }
    void fill(std::size_t count)
    {
        box().intake.accept(Lane::telemetry, noise(count));
        box().flush();
    }

    struct {
        std::uint64_t state = 1;
        std::int64_t next()
        {
            state = state * 6364136223846793005U + 1442695040888963407U;
            return static_cast<std::int64_t>(state >> 1);
        }
    } random_;
};

TEST_F(ThinnedIntake, F16_ALaneIsThinnedWhileItsShareIsNearlyUsed)
{
    spool_settings_.policy[index_of(Lane::telemetry)] = Policy::thin;
    auto& box = running_box();
    const auto distance = [&box] { return box.intake.least_distance(Lane::telemetry); };
    fill(8'000);
    box.clock.advance(1min);
    EXPECT_TRUE(box.comes([&] { return distance() == 1h; }));
    EXPECT_EQ(box.intake.least_distance(Lane::billing), 0s);
    EXPECT_EQ(told("readings-thinned"), 1U);
    box.clock.advance(1min);
    while (at_store([&box] {
        const auto current = box.outbox.epochs().back();
        const auto head = current.lanes[index_of(Lane::telemetry)].head;
        return box.outbox.apply_receipt(current.id, Lane::telemetry, {{1, head}}).more;
    })) {
    }
    fill(1);  // what was received leaves with the next commit
    box.clock.advance(1min);
    EXPECT_TRUE(box.comes([&] { return distance() == 0s; }));
    EXPECT_EQ(told("readings-thinned"), 1U);
    EXPECT_EQ(told("readings-complete"), 1U);
}

TEST_F(ThinnedIntake, F16_OtherPoliciesKeepEveryReading)
{
    auto& box = running_box();
    fill(8'000);
    box.clock.advance(2min);
    EXPECT_GT(
        at_store([&box] { return box.outbox.use(); }).share_used_percent[index_of(Lane::telemetry)],
        80U);
    EXPECT_EQ(box.intake.least_distance(Lane::telemetry), 0s);
}

}  // namespace
}  // namespace gateway
