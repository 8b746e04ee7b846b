#include "gateway/receiver/figures.hpp"

#include <gtest/gtest.h>

namespace gateway::figures_test {

using namespace std::chrono_literals;

namespace {

std::string page_of(const Figures& figures, const Figures::Online& online = {})
{
    return metrics_page(figures, {}, online, {}, MetricsFormat::open_metrics);
}

bool has(const std::string& page, const std::string& line)
{
    return page.find('\n' + line + '\n') != std::string::npos;
}

TEST(ReceiverFigures, CountMessagesByKindAndRefusalsByReason)
{
    Figures figures;
    figures.message(TopicKind::manifest);
    figures.refused(RefusalKind::origin);
    const auto page = page_of(figures);
    EXPECT_TRUE(has(page, R"(smart_receiver_messages_total{kind="manifest"} 1)")) << page;
    EXPECT_TRUE(has(page, R"(smart_receiver_messages_total{kind="dict"} 0)"));
    EXPECT_TRUE(has(page, R"(smart_receiver_refused_messages_total{reason="origin"} 1)"));
}

TEST(ReceiverFigures, SayWhenABoxWasHeardAndWhetherItIsOnline)
{
    Figures figures;
    figures.heard("box-1", Figures::Time(10s));
    figures.heard("box-1", Figures::Time(20s));
    figures.heard("box-2", Figures::Time(30s));
    const auto page = page_of(figures, {{"box-1", "session"}});
    EXPECT_TRUE(has(page, R"(smart_receiver_box_heard_timestamp_seconds{box="box-1"} 20)")) << page;
    EXPECT_TRUE(has(page, R"(smart_receiver_box_online{box="box-1"} 1)"));
    EXPECT_TRUE(has(page, R"(smart_receiver_box_online{box="box-2"} 0)"));
    EXPECT_TRUE(has(page, "smart_receiver_boxes_online 1"));
}

TEST(ReceiverFigures, BoxesBeyondTheBoundAreCountedAndNotListed)
{
    Figures figures;
    for (std::size_t i = 0; i <= Figures::most_boxes; ++i) {
        figures.heard("box-" + std::to_string(i), Figures::Time(1s));
    }
    figures.heard("box-0", Figures::Time(9s));
    const auto page = page_of(figures);
    EXPECT_TRUE(has(page, "smart_receiver_unlisted_messages_total 1"));
    EXPECT_TRUE(has(page, R"(smart_receiver_box_heard_timestamp_seconds{box="box-0"} 9)"));
    EXPECT_EQ(page.find(R"({box="box-4096"})"), std::string::npos);
}

TEST(ReceiverFigures, TheAgeOfABatchIsNeverBelowZero)
{
    Figures figures;
    figures.batch(TopicKind::data, 10'000ms, Figures::Time(15s));
    figures.batch(TopicKind::alarm, 20'000ms, Figures::Time(15s));  // its clock is ahead
    figures.batch(TopicKind::history, 1'000ms, Figures::Time(7'201s));
    const auto page = page_of(figures);
    EXPECT_TRUE(has(page, R"(smart_receiver_live_batch_age_seconds_bucket{le="1.0"} 1)")) << page;
    EXPECT_TRUE(has(page, R"(smart_receiver_live_batch_age_seconds_bucket{le="10.0"} 2)"));
    EXPECT_TRUE(has(page, "smart_receiver_live_batch_age_seconds_sum 5"));
    EXPECT_TRUE(has(page, R"(smart_receiver_history_batch_age_seconds_bucket{le="3600.0"} 0)"));
    EXPECT_TRUE(has(page, "smart_receiver_history_batch_age_seconds_sum 7200"));
}

}  // namespace

}  // namespace gateway::figures_test
