#include "drivers/registry.hpp"
#include "drivers/sysfs/driver.hpp"
#include "drivers/sysfs/example.hpp"
#include "gateway/runtime/deadline.hpp"
#include "gateway/runtime/system_clock.hpp"
#include "tests/support/loop.hpp"
#include "tests/unit/config/folder.hpp"

#include <gtest/gtest.h>
#include <boost/asio/detached.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <future>
#include <numeric>

namespace gateway::sysfs {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

const std::string good_scratchpad =
    "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125\n";
const std::string w1_intact =
    "^(?:[0-9a-f]{2} ){4}[1357]f (?:[0-9a-f]{2} ){4}: crc=[0-9a-f]{2} YES";

Source source(const std::string& file)
{
    return {.file = file, .where = {}, .times = {}, .plus = {}};
}

Source w1_source()
{
    auto w1 = source("w1_slave");
    w1.match.emplace("t=(-?[0-9]+)");
    w1.intact.emplace(w1_intact);
    return w1;
}

Sample read_text(const Source& from, const std::string& text)
{
    return sample_of(from, {{.text = text, .times = {}, .plus = {}}});
}

TEST(SysfsCodec, AWholeFileIsTheValueOfAPoint)
{
    EXPECT_EQ(read_text(source("temp1_input"), "45000\n").raw, Value::integer(45000));
    EXPECT_EQ(read_text(source("temp1_input"), "-1500\n").raw, Value::integer(-1500));
    auto text = source("name");
    text.type = TextType::text;
    EXPECT_EQ(read_text(text, "coretemp\n").raw, Value::of_text("coretemp"));
    auto hex = source("status");
    hex.type = TextType::hex;
    EXPECT_EQ(read_text(hex, "0x001f\n").raw, Value::integer(31));
}

TEST(SysfsCodec, TheFirstGroupOfAMatchIsTheValue)
{
    EXPECT_EQ(read_text(w1_source(), good_scratchpad).raw, Value::integer(23125));
    auto memory = source("proc/meminfo");
    memory.match.emplace("MemAvailable: +([0-9]+) kB");
    EXPECT_EQ(read_text(memory, "MemTotal:  948 kB\nMemAvailable:   612340 kB\n").raw,
              Value::integer(612340));
}

TEST(SysfsCodec, D2_AFailedChecksumIsNoValueAndSaysWhy)
{
    auto broken = good_scratchpad;
    broken.replace(broken.find("YES"), 3, "NO");
    EXPECT_EQ(read_text(w1_source(), broken).quality, Quality::comm_error);
    EXPECT_EQ(read_text(w1_source(), broken).cause, Cause::crc);
    // A bus that is shorted reads zeros, and the checksum of zeros is zero.
    const std::string zeros =
        "00 00 00 00 00 00 00 00 00 : crc=00 YES\n00 00 00 00 00 00 00 00 00 t=0\n";
    EXPECT_EQ(read_text(w1_source(), zeros).cause, Cause::crc);
}

TEST(SysfsCodec, EveryPrefixOfAScratchpadIsAFailureOrTheWholeValue)
{
    const auto whole = std::string_view(good_scratchpad);
    for (std::size_t size = 0; size < whole.find("t=2"); ++size) {
        EXPECT_NE(read_text(w1_source(), std::string(whole.substr(0, size))).quality, Quality::good)
            << size;
    }
}

TEST(SysfsCodec, WhatIsNoNumberIsBadAndNothingIsMissing)
{
    EXPECT_EQ(read_text(source("a"), "12 apples\n").quality, Quality::bad);
    EXPECT_EQ(read_text(source("a"), "12.5\n").quality, Quality::bad);
    EXPECT_EQ(read_text(source("a"), "99999999999999999999\n").quality, Quality::bad);
    EXPECT_EQ(read_text(source("a"), "\n").quality, Quality::missing);
    auto fraction = source("a");
    fraction.type = TextType::float64;
    EXPECT_EQ(read_text(fraction, "+12.50\n").raw, Value::float64(12.5));
    EXPECT_EQ(read_text(fraction, "nan").quality, Quality::bad);
    EXPECT_EQ(read_text(fraction, "1e999").quality, Quality::bad);
}

TEST(SysfsCodec, IioValuesHaveAnOffsetAndAScaleInFilesBesideThem)
{
    auto iio = source("in_temp_raw");
    iio.times = "in_temp_scale";
    iio.plus = "in_temp_offset";
    iio.type = TextType::float64;
    const Content content{.text = std::string("2310\n"), .times = "0.078125\n", .plus = "-1000\n"};
    EXPECT_EQ(sample_of(iio, {content}).raw, Value::float64(102.34375));
    const Content unscaled{.text = std::string("2310\n"), .times = "", .plus = "-1000\n"};
    EXPECT_EQ(sample_of(iio, {unscaled}).quality, Quality::bad);
    iio.plus.clear();
    const Content no_offset{.text = std::string("2310\n"), .times = "0.5\n", .plus = ""};
    EXPECT_EQ(sample_of(iio, {no_offset}).raw, Value::float64(1155));
}

TEST(SysfsCodec, TheErrorsOfTheKernelSayWhatIsWrong)
{
    const auto failed = [](int code, bool optional = false) {
        auto from = source("a");
        from.optional = optional;
        const Error error(code, boost::system::system_category());
        const auto sample = sample_of(from, {{.text = error, .times = {}, .plus = {}}});
        return std::pair(sample.quality, sample.cause);
    };
    EXPECT_EQ(failed(ENOENT), std::pair(Quality::comm_error, Cause::unreachable));
    EXPECT_EQ(failed(ENODEV, true), std::pair(Quality::missing, Cause::unreachable));
    EXPECT_EQ(failed(ENODATA), std::pair(Quality::missing, Cause::device_status));
    EXPECT_EQ(failed(ETIMEDOUT), std::pair(Quality::comm_error, Cause::timeout));
    EXPECT_EQ(failed(EIO, true), std::pair(Quality::comm_error, Cause::unexpected_reply));
}

TEST(SysfsCodec, SeveralFilesNeedAChoice)
{
    const std::vector<Content> three{{.text = std::string("45000"), .times = {}, .plus = {}},
                                     {.text = Fault::not_found, .times = {}, .plus = {}},
                                     {.text = std::string("61000"), .times = {}, .plus = {}}};
    auto from = source("hwmon*/temp1_input");
    EXPECT_EQ(sample_of(from, three).quality, Quality::bad);
    from.pick = Pick::first;
    EXPECT_EQ(sample_of(from, three).raw, Value::integer(45000));
    from.pick = Pick::highest;
    EXPECT_EQ(sample_of(from, three).raw, Value::integer(61000));
    from.pick = Pick::lowest;
    EXPECT_EQ(sample_of(from, three).raw, Value::integer(45000));
    EXPECT_EQ(sample_of(from, {}).cause, Cause::unreachable);
}

/// A tree like the kernel's in a temporary folder, and the driver over it.
struct SysfsTree : testing::Test {
    asio::io_context io{1};
    FileWorker worker{io.get_executor()};
    Folder folder;
    SourceMap map;

    Result<Samples> read(Duration timeout = 5s)
    {
        map.settings.timeout = timeout;
        SysfsDriver driver(worker, folder.path(), map);
        std::vector<std::uint16_t> rows(map.points.size());
        std::iota(rows.begin(), rows.end(), std::uint16_t{0});
        Result<Samples> samples = Fault::closed;
        auto body = [&]() -> asio::awaitable<void> { samples = co_await driver.read(rows); };
        test::run_test(io, body());
        return samples;
    }
};

TEST_F(SysfsTree, StarsFindFilesInTheOrderOfTheirNumbers)
{
    for (const auto* number : {"10", "2", "0"}) {
        folder.write(std::string("hwmon") + number + "/temp1_input", "1");
    }
    folder.write("hwmon/temp1_input", "1");
    folder.write(".hwmon7/temp1_input", "1");
    folder.write("hwmon2/temp3_input", "1");
    const auto found = find_files(kernel_files(), folder.path(), "hwmon*/temp*_input");
    std::vector<std::vector<std::string>> stars;
    stars.reserve(found.size());
    for (const auto& each : found) {
        stars.push_back(each.stars);
    }
    using Stars = std::vector<std::vector<std::string>>;
    EXPECT_EQ(stars, (Stars{{"", "1"}, {"0", "1"}, {"2", "1"}, {"2", "3"}, {"10", "1"}}));
    EXPECT_EQ(with_stars("hwmon*/temp*_label", stars[3]), "hwmon2/temp3_label");
}

TEST_F(SysfsTree, ANeighbourChoosesTheSensorWhateverItsNumberIsToday)
{
    folder.write("hwmon0/name", "acpitz\n");
    folder.write("hwmon0/temp1_input", "27800\n");
    folder.write("hwmon3/name", "coretemp\n");
    folder.write("hwmon3/temp1_label", "Core 0\n");
    folder.write("hwmon3/temp1_input", "51000\n");
    folder.write("hwmon3/temp2_label", "Package id 0\n");
    folder.write("hwmon3/temp2_input", "53000\n");
    auto package = source("hwmon*/temp*_input");
    package.where = {{"hwmon*/name", Pattern("^coretemp$")},
                     {"hwmon*/temp*_label", Pattern("^Package")}};
    package.where[0].match = Pattern("^coretemp");
    map.points = {package};
    const auto samples = read();
    ASSERT_TRUE(samples) << samples.error().message();
    EXPECT_EQ(samples->front().raw, Value::integer(53000));
}

TEST_F(SysfsTree, PointsInOneFileAreReadTogether)
{
    folder.write("meminfo", "MemTotal: 948 kB\nMemAvailable: 612 kB\n");
    for (const auto* key : {"MemTotal", "MemAvailable", "Swap"}) {
        map.points.push_back(source("meminfo"));
        map.points.back().match.emplace(std::string(key) + ": ([0-9]+)");
    }
    map.points.push_back(source("gone"));
    map.points.back().optional = true;
    const std::vector<std::uint16_t> due{0, 1, 3};
    EXPECT_EQ(by_files(map.points, due), (std::vector<std::vector<std::uint16_t>>{{0, 1}, {3}}));
    const auto samples = read();
    ASSERT_TRUE(samples);
    EXPECT_EQ((*samples)[0].raw, Value::integer(948));
    EXPECT_EQ((*samples)[1].raw, Value::integer(612));
    EXPECT_EQ((*samples)[2].cause, Cause::unexpected_reply);
    EXPECT_EQ((*samples)[3].quality, Quality::missing);
}

TEST_F(SysfsTree, D8_ADeviceThatWasUnpluggedFailsAsAWholeAndComesBack)
{
    map.points = {w1_source()};
    EXPECT_EQ(read().error(), Fault::not_found);
    folder.write("w1_slave", good_scratchpad);
    EXPECT_TRUE(read());
}

TEST_F(SysfsTree, AnEndlessFileIsBoundedAndAPipeDoesNotBlock)
{
    folder.write("endless", std::string(largest_file + 1, '7'));
    ASSERT_EQ(mkfifo(folder.path("pipe").c_str(), 0600), 0);
    folder.write("good", "7");
    map.points = {source("endless"), source("pipe"), source("good")};
    const auto samples = read();
    ASSERT_TRUE(samples);
    EXPECT_EQ((*samples)[0].cause, Cause::unexpected_reply);
    EXPECT_EQ((*samples)[1].cause, Cause::unexpected_reply);
    EXPECT_EQ((*samples)[2].raw, Value::integer(7));
}

TEST_F(SysfsTree, D1_AFileThatHangsTimesOutAndTheLoopGoesOn)
{
    folder.write("temperature", "21000");
    map.points = {source("temperature")};
    auto gate = std::make_shared<std::promise<void>>();
    auto hang = [gate] { gate->get_future().wait(); };
    asio::co_spawn(io, worker.run(hang, 10ms), asio::detached);
    EXPECT_EQ(read(10ms).error(), Fault::timed_out);
    gate->set_value();
}

Profile shipped(const std::string& name)
{
    const auto path = SOURCE_DIR "/schemas/profiles/" + name + ".profile.toml";
    Mistakes mistakes;
    auto profile = parse_profile(slurp(path), path, mistakes);
    EXPECT_EQ(mistakes.text(), "");
    return profile;
}

TEST(SysfsProfile, D9_APowerOn85DegreesIsNotAReading)
{
    const auto profile = shipped("il.temperature.maxim-ds18b20");
    EXPECT_EQ(run_examples(profile), std::vector<std::string>{});
    const auto& missing = profile.points.front().missing;
    EXPECT_NE(std::ranges::find(missing, Value::integer(85000)), missing.end());
}

TEST(SysfsProfile, AnExampleThatDiffersIsNamed)
{
    auto profile = shipped("il.temperature.maxim-ds18b20");
    ASSERT_FALSE(profile.examples.empty());
    profile.examples.front().expect["temperature"] = "23.126";
    const auto differences = gateway::run_examples(profile);
    ASSERT_EQ(differences.size(), 1U);
    EXPECT_NE(differences.front().find("temperature: expected 23.126, got 23.125"),
              std::string::npos)
        << differences.front();
}

}  // namespace
}  // namespace gateway::sysfs
