#include "drivers/transport/buses.hpp"
#include "gateway/runtime/deadline.hpp"
#include "tests/support/loop.hpp"
#include "tests/support/pty.hpp"

#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

#include <sys/ioctl.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace gateway {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// A line to a pseudo terminal behind a link, as udev keeps one for each adapter.
struct SerialPort : testing::Test {
    std::filesystem::path folder =
        std::filesystem::temp_directory_path() / ("serial-" + std::to_string(::getpid()));
    std::string link = (folder / "by-id").string();
    asio::io_context io{1};
    Resolver resolver{io.get_executor()};
    Buses buses{io.get_executor(), resolver};
    Mistakes mistakes;
    std::optional<test::Pty> pty{std::in_place};

    SerialPort()
    {
        std::filesystem::create_directories(folder);
        plug(*pty);
    }
    ~SerialPort() override { std::filesystem::remove_all(folder); }

    void plug(const test::Pty& adapter) const
    {
        std::filesystem::remove(link);
        std::filesystem::create_symlink(adapter.path(), link);
    }
    void unplug()
    {
        std::filesystem::remove(link);
        pty.reset();
    }

    std::shared_ptr<StreamBus> bus(std::uint32_t baud = 9600)
    {
        return buses.serial({.path = link, .baud = baud}, {}, mistakes);
    }

    template <typename T>
    T run(asio::awaitable<T> task)
    {
        return test::outcome_of(io, std::move(task));
    }
    Result<ByteStream*> connection(StreamBus& line) { return run(line.connection(0ms)); }

    /// What the port hears, up to so many bytes.
    std::string hear(ByteStream& stream, std::size_t count)
    {
        std::string text(count, '?');
        const std::span bytes(reinterpret_cast<std::uint8_t*>(text.data()), count);
        const auto got = run(with_deadline(stream.read_exactly(bytes), 5s));
        return got ? text : got.error().message();
    }
    Status say(ByteStream& stream, std::string_view text)
    {
        const ByteView bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
        return run(with_deadline(stream.write(bytes), 5s));
    }
};

TEST_F(SerialPort, BytesGoBothWaysUnchanged)
{
    const auto line = bus();
    const auto stream = connection(*line);
    ASSERT_TRUE(stream) << stream.error().message();
    ASSERT_TRUE(say(**stream, "\x01\x03\r\n\x11\x13"));
    EXPECT_EQ(pty->read(), "\x01\x03\r\n\x11\x13");
    pty->write("\x01\x83\x04\n\r\x7f");
    EXPECT_EQ(hear(**stream, 6), "\x01\x83\x04\n\r\x7f");
}

TEST_F(SerialPort, ThePortIsSetAndTakenForOneProcess)
{
    const auto line = buses.serial(
        {.path = link, .baud = 19200, .parity = Parity::even, .stop_bits = 2}, {}, mistakes);
    const auto stream = connection(*line);
    ASSERT_TRUE(stream) << stream.error().message();
    const auto settings = pty->settings();
    EXPECT_EQ(::cfgetospeed(&settings), static_cast<speed_t>(B19200));
    EXPECT_EQ(settings.c_cflag & CSTOPB, static_cast<tcflag_t>(CSTOPB));
    EXPECT_EQ(settings.c_lflag & (ECHO | ICANON), 0U);
    const auto other = ::open(pty->path().c_str(), O_RDWR | O_NOCTTY);
    int exclusive = 0;
    if (other >= 0) {  // root may open it all the same
        ::ioctl(other, TIOCGEXCL, &exclusive);
        ::close(other);
    }
    EXPECT_TRUE(other < 0 || exclusive != 0);
}

TEST_F(SerialPort, ASettingThatThePortRefusesIsSaid)
{
    const auto line = bus(12'345);
    EXPECT_EQ(connection(*line).error(), asio::error::invalid_argument);
}

TEST_F(SerialPort, DevicesOfOneLineShareItAndItsSettings)
{
    const auto line = bus(9600);
    EXPECT_EQ(bus(9600), line);
    EXPECT_EQ(bus(19200), nullptr);
    EXPECT_EQ(mistakes.text(), ": connect: another device uses " + link +
                                   " with 9600 8N1; devices on one line have the same settings\n");
}

TEST_F(SerialPort, OtherSettingsMayFollowOnceTheLineIsFree)
{
    bus(9600).reset();
    EXPECT_NE(bus(19200), nullptr);
    EXPECT_TRUE(mistakes.empty()) << mistakes.text();
}

TEST_F(SerialPort, WhatNobodyAskedForIsDrained)
{
    const auto line = bus();
    ASSERT_TRUE(connection(*line));
    pty->write("late answer");
    const auto stream = connection(*line);
    ASSERT_TRUE(stream) << stream.error().message();
    pty->write("x");
    EXPECT_EQ(hear(**stream, 1), "x");
}

TEST_F(SerialPort, WhatATalkingDeviceSaidIsKept)
{
    const auto line = bus();
    ASSERT_TRUE(run(line->listen()));
    pty->write("Acc 0.00 in\r\n");
    const auto stream = run(line->listen());
    ASSERT_TRUE(stream) << stream.error().message();
    EXPECT_EQ(hear(**stream, 13), "Acc 0.00 in\r\n");
}

TEST_F(SerialPort, AnAdapterThatIsTakenOutEndsTheReadUnderWay)
{
    const auto line = bus();
    const auto stream = run(line->listen());
    ASSERT_TRUE(stream) << stream.error().message();
    asio::post(io, [this] { unplug(); });
    std::array<std::uint8_t, 8> bytes{};
    const auto got = run(with_deadline((*stream)->read_some(bytes), 5s));
    ASSERT_FALSE(got);
    EXPECT_NE(got.error(), Fault::timed_out);
}

TEST_F(SerialPort, D8_AnAdapterThatComesBackIsOpenedAgain)
{
    const auto line = bus();
    ASSERT_TRUE(connection(*line));
    unplug();
    EXPECT_EQ(connection(*line).error(), boost::system::errc::no_such_file_or_directory);
    pty.emplace();
    plug(*pty);
    const auto stream = connection(*line);
    ASSERT_TRUE(stream) << stream.error().message();
    ASSERT_TRUE(say(**stream, "?"));
    EXPECT_EQ(pty->read(), "?");
}

TEST_F(SerialPort, S45_TheLinkIsFollowedToAnotherPortWhileTheOldOneStaysOpen)
{
    const auto line = bus();
    ASSERT_TRUE(connection(*line));
    const test::Pty other;
    plug(other);
    const auto stream = connection(*line);
    ASSERT_TRUE(stream) << stream.error().message();
    ASSERT_TRUE(say(**stream, "?"));
    EXPECT_EQ(other.read(), "?");
    EXPECT_EQ(pty->read(), "");
}

TEST_F(SerialPort, AFileIsNoPort)
{
    std::filesystem::remove(link);
    const auto* const file = std::fopen(link.c_str(), "we");
    ASSERT_NE(file, nullptr);
    std::fclose(const_cast<std::FILE*>(file));
    const auto line = bus();
    EXPECT_FALSE(connection(*line));
}

TEST(SerialLine, ACharacterTakesItsBits)
{
    EXPECT_EQ(time_on({.baud = 9600}, 960), 1s);
    EXPECT_EQ(time_on({.baud = 1100, .parity = Parity::even}, 100), 1s);
    EXPECT_EQ(time_on({.baud = 1000, .data_bits = 7, .stop_bits = 2}, 100), 1s);
}

TEST(SerialLine, IsReadFromTheSiteFile)
{
    const auto text = [](const char* value) {
        return Setting{.value = std::string(value), .place = {}};
    };
    const auto number = [](std::int64_t value) { return Setting{.value = value, .place = {}}; };
    const SettingTable connect{{"serial", text("/dev/ttyS1")},
                               {"baud", number(4800)},
                               {"parity", text("odd")},
                               {"bits", number(7)},
                               {"stop", number(2)}};
    EXPECT_EQ(describe(serial_line(connect)), "/dev/ttyS1 with 4800 7O2");
    EXPECT_EQ(describe(serial_line({{"serial", text("/dev/ttyS1")}})), "/dev/ttyS1 with 9600 8N1");
}

}  // namespace
}  // namespace gateway
