#include "gateway/app/value.hpp"

#include <gtest/gtest.h>

namespace gateway::value_test {

using namespace std::chrono_literals;

namespace {

const WallTime start{std::chrono::sys_days{std::chrono::year{2026} / 8 / 1} + 10h};

json::object all(const ValueRecord& record)
{
    return record.object(1'000);
}

TEST(ValueRecord, AFaultHasItsCauseAndItsEnd)
{
    ValueRecord record;
    record.note({"device-down", Severity::warning, "No answer: timeout.", "meter"}, start);
    record.note({"device-down", Severity::warning, "No answer: crc.", "meter"}, start + 1min);
    record.note({"device-up", Severity::info, "The device answers again.", "other"}, start + 2min);
    EXPECT_EQ(json::serialize(all(record).at("faults")),
              R"([{"subject":"meter","cause":"No answer: timeout.",)"
              R"("begin":"2026-08-01T10:00:00Z","end":null}])");
    EXPECT_TRUE(record.is_urgent());
    record.saved();
    record.note({"device-up", Severity::info, "The device answers again.", "meter"}, start + 1h);
    EXPECT_TRUE(record.is_urgent());
    const auto faults = all(record).at("faults").as_array();
    ASSERT_EQ(faults.size(), 1U);
    EXPECT_EQ(faults[0].at("end"), "2026-08-01T11:00:00Z");
}

TEST(ValueRecord, OnlyTheFirstReceiptOfADeviceCounts)
{
    ValueRecord record;
    record.receipted("meter", start);
    record.receipted("meter", start + 24h);
    EXPECT_EQ(record.first_receipt("meter"), "2026-08-01T10:00:00Z");
    EXPECT_EQ(record.first_receipt("other"), std::nullopt);
}

TEST(ValueRecord, BytesCountForTheirDayAndAcrossRestarts)
{
    ValueRecord record;
    record.used(100, 1'000, start);
    record.used(150, 1'200, start + 1h);
    record.used(170, 1'300, start + 24h);
    record.used(170, 1'350, start + 1h);  // a clock that is set back begins no day
    ValueRecord next(record.text());
    next.used(5, 50, start + 25h);  // a new process counts from zero
    const auto days = all(next).at("days").as_array();
    ASSERT_EQ(days.size(), 2U);
    EXPECT_EQ(json::serialize(days[0]),
              R"({"day":"2026-08-01","sent_bytes":150,"written_bytes":1200})");
    EXPECT_EQ(json::serialize(days[1]),
              R"({"day":"2026-08-02","sent_bytes":25,"written_bytes":200})");
}

TEST(ValueRecord, AVisitIsWhatAMaintenanceLasts)
{
    ValueRecord record;
    record.maintained("meter", false, start);
    record.maintained("meter", true, start);
    record.maintained("meter", true, start + 10min);
    record.maintained("meter", false, start + 45min);
    EXPECT_EQ(json::serialize(all(record).at("visits")),
              R"([{"subject":"meter","begin":"2026-08-01T10:00:00Z",)"
              R"("end":"2026-08-01T10:45:00Z"}])");
}

TEST(ValueRecord, ComesBackAsItWasKept)
{
    ValueRecord record;
    record.receipted("meter", start);
    record.failed("uplink", "connection refused", start);
    record.maintained("meter", true, start);
    record.used(1, 2, start);
    EXPECT_EQ(ValueRecord(record.text()).text(), record.text());
    EXPECT_TRUE(ValueRecord(record.text()).is_receipted("meter"));
}

TEST(ValueRecord, WhatCannotBeReadBeginsAnew)
{
    for (const auto* text :
         {"", "[]", "{", R"({"days":1,"faults":[7],"first_receipts":{"a":1}})"}) {
        EXPECT_EQ(ValueRecord(text).text(), ValueRecord().text()) << text;
    }
}

TEST(ValueRecord, KeepsTheNewestAndNoMoreThanItMay)
{
    ValueRecord record;
    for (int i = 0; i < 500; ++i) {
        record.failed("meter", std::string(1'000, 'x'), start + i * 1min);
        record.works("meter", start + i * 1min);
        record.used(0, 0, start + i * 24h);
    }
    const auto kept = all(record);
    EXPECT_EQ(kept.at("faults").as_array().size(), ValueRecord::most_faults);
    EXPECT_EQ(kept.at("days").as_array().size(), ValueRecord::most_days);
    EXPECT_EQ(kept.at("faults").as_array().back().at("begin"), "2026-08-01T18:19:00Z");
    EXPECT_EQ(record.object(3).at("faults").as_array().size(), 3U);
    EXPECT_LT(record.text().size(), 40'000U);
}

}  // namespace

}  // namespace gateway::value_test
