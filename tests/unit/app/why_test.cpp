#include "gateway/app/why.hpp"
#include "gateway/app/plain_cause.hpp"

#include <gtest/gtest.h>

namespace gateway::why_test {

using namespace std::chrono_literals;

namespace {

class Why : public testing::Test {
protected:
    Why()
    {
        auto described = std::make_shared<Profile>();
        described->id = "test.meter";
        described->version = "1.0.0";
        described->driver = "modbus";
        described->points.resize(1);
        described->points.front().id = "voltage";
        config.site.id = "meter";
        config.site.connect["tcp"] = Setting{.value = std::string("10.0.0.5:502"), .place = {}};
        config.profile = described;
        box.site = &site;
        box.now = Instant(100s);
        device.config = &config;
        device.receipted = true;
        device.status.answering = true;
        device.status.last_good = BootTime(99s);
        device.status.identified.verdict = IdentityVerdict::verified;
    }

    std::string answer() const { return json::serialize(why_json(box, device, exchanges)); }
    bool says(std::string_view text) const { return answer().find(text) != std::string::npos; }

    Site site;
    DeviceConfig config;
    BoxView box;
    DeviceView device;
    ExchangeLog exchanges;
};

TEST_F(Why, ADeviceThatWorks)
{
    const auto said = why_json(box, device, exchanges);
    EXPECT_TRUE(said.at("ok").as_bool());
    EXPECT_EQ(said.at("verdict").as_string(), "meter is read and answers.");
    EXPECT_TRUE(says("Nothing has been exchanged yet."));
}

TEST_F(Why, SilenceIsExplainedWithItsTimeAndWhatToTry)
{
    device.status.answering = false;
    device.status.last_cause = Cause::timeout;
    device.status.failures = 7;
    device.status.probe_at = box.now + 12s;
    device.failing_for = 3h;
    const auto said = why_json(box, device, exchanges);
    EXPECT_EQ(said.at("verdict").as_string(), "meter does not answer for 3 h.");
    EXPECT_EQ(said.at("means").as_string(), "Requests are sent and nothing comes back in time.");
    EXPECT_FALSE(said.at("try").as_array().empty());
    EXPECT_TRUE(says("7 failures in a row, so it is asked less often: next in 12 s"));
    EXPECT_TRUE(says("tcp 10.0.0.5:502"));
}

TEST_F(Why, AnExchangeIsShownWithItsBytesAndTheirMeaning)
{
    const Bytes asked{0, 9, 0, 0, 0, 6, 1, 3, 0x0B, 0xD3, 0, 2},
        answered{0, 9, 0, 0, 0, 3, 1, 0x83, 2};
    exchanges.add({.at = std::chrono::steady_clock::now(), .took = 5ms, .error = {}, .refusal = 2},
                  asked, answered);
    EXPECT_TRUE(says("00 09 00 00 00 06 01 03 0b d3 00 02"));
    EXPECT_TRUE(says("asks unit 1 for holding 3027 to 3028"));
    EXPECT_TRUE(says("refused: exception 2, illegal data address"));
}

TEST_F(Why, AValueThatIsNotGoodSaysWhatThatMeans)
{
    device.status.latest.push_back(
        {.alias = {1, 0}, .time = {}, .quality = Quality::suspect, .cause = Cause::stuck});
    EXPECT_TRUE(says("\"voltage: suspect, stuck\""));
    EXPECT_TRUE(says("The value has not changed for too long."));
}

TEST_F(Why, APasswordInAUrlIsNotShown)
{
    config.site.connect["url"] =
        Setting{.value = std::string("http://user:marker@box/x"), .place = {}};
    EXPECT_FALSE(says("marker"));
    EXPECT_TRUE(says("url http://box/x"));
}

TEST_F(Why, EveryCauseHasItsSentence)
{
    for (unsigned number = 1; !to_string(static_cast<Cause>(number)).starts_with("cause_");
         ++number) {
        const auto cause = static_cast<Cause>(number);
        EXPECT_FALSE(plain(cause, config).means.empty()) << to_string(cause);
    }
    EXPECT_NE(plain(exception_cause(2), config).means.find("exception 2, illegal data address"),
              std::string::npos);
}

TEST(ExchangeLog, KeepsTheNewestAndTheLastFailure)
{
    ExchangeLog log;
    const Bytes bytes(100, 7);
    log.add({.error = make_error_code(Fault::timed_out)}, bytes, {});
    for (std::size_t i = 0; i < 3 * ExchangeLog::most_exchanges; ++i) {
        log.add({}, {}, bytes);
    }
    std::vector<Error> errors;
    log.visit([&](const ExchangeLog::Exchange& exchange) {
        errors.push_back(exchange.error);
        EXPECT_LE(exchange.received.view().size(), ExchangeLog::most_received);
    });
    ASSERT_EQ(errors.size(), ExchangeLog::most_exchanges + 1);
    EXPECT_EQ(errors.front(), make_error_code(Fault::timed_out));
    EXPECT_FALSE(errors.back());
    log.visit([](const auto& exchange) { EXPECT_EQ(exchange.received.is_cut(), !exchange.error); });
}

}  // namespace

}  // namespace gateway::why_test
