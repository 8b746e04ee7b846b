// Reads every point of a profile once from one Modbus TCP unit and prints a JSON object per point:
// what the driver gives, before any quality rule.
//
//     modbus_read PROFILE HOST:PORT UNIT

#include "drivers/registry.hpp"
#include "gateway/config/file.hpp"
#include "gateway/core/fraction.hpp"
#include "gateway/core/json.hpp"
#include "gateway/runtime/system_clock.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <cstdio>
#include <numeric>
#include <span>
#include <string>

namespace {

using namespace gateway;

std::string text_of(const Sample& sample, const Point& point)
{
    if (sample.raw.is_text()) {
        return sample.raw.text();
    }
    const auto decimal = apply(sample.raw, point.scale.times, point.offset.times);
    return decimal ? decimal->text : std::string();
}

template <typename T>
T run(boost::asio::io_context& io, boost::asio::awaitable<T> task)
{
    auto result = boost::asio::co_spawn(io, std::move(task), boost::asio::use_future);
    io.restart();
    while (result.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
        io.run_one();
    }
    return result.get();
}

int read(const DeviceConfig& device)
{
    boost::asio::io_context io(1);
    Resolver resolver(io.get_executor());
    FileWorker files(io.get_executor());
    Buses buses(io.get_executor(), resolver);
    SystemClock clock(io.get_executor());
    const DriverContext context{io.get_executor(), buses, resolver, clock, files};
    Mistakes mistakes;
    const auto driver = make_driver(device, context, mistakes);
    if (driver == nullptr) {
        std::fputs(mistakes.text().c_str(), stderr);
        return 78;
    }
    std::vector<std::uint16_t> due(device.profile->points.size());
    std::iota(due.begin(), due.end(), std::uint16_t{0});
    const auto samples = run(io, driver->read(due));
    const auto identity = run(io, driver->identify());
    if (!samples || !identity) {
        const auto error = samples ? identity.error() : samples.error();
        std::fprintf(stderr, "%s\n", error.message().c_str());
        return 2;
    }
    for (const auto& sample : *samples) {
        const auto& point = device.profile->points[sample.row];
        const json::object line{{"point", point.id},
                                {"value", text_of(sample, point)},
                                {"quality", to_string(sample.quality)},
                                {"cause", to_string(sample.cause)}};
        std::puts(json::serialize(line).c_str());
    }
    for (std::size_t i = 0; i < identity->size(); ++i) {
        const auto& value = (*identity)[i];
        const Sample sample{.raw = value.value_or(Value())};
        const json::object line{{"identify", i},
                                {"value", value ? json::value(text_of(sample, Point{})) : nullptr}};
        std::puts(json::serialize(line).c_str());
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv)
{
    const std::span arguments(argv, static_cast<std::size_t>(argc));
    if (arguments.size() != 4) {
        std::fputs("usage: modbus_read PROFILE HOST:PORT|SERIAL-PORT UNIT\n", stderr);
        return 64;
    }
    const std::string file = arguments[1];
    Mistakes mistakes;
    const auto text = read_file(file, 256UL * 1024);
    DeviceConfig device;
    if (text) {
        device.profile = std::make_shared<const Profile>(parse_profile(*text, file, mistakes));
    } else {
        mistakes.add({file, 0, 0}, "", text.error().message());
    }
    if (!mistakes.empty()) {
        std::fputs(mistakes.text().c_str(), stderr);
        return 78;
    }
    const std::string target = arguments[2];
    if (target.starts_with('/')) {
        device.site.connect["serial"] = Setting{target, {}};
        device.site.connect["baud"] = Setting{std::int64_t{19'200}, {}};
    } else {
        device.site.connect["tcp"] = Setting{target, {}};
    }
    device.site.connect["unit"] = Setting{std::int64_t{std::stoi(arguments[3])}, {}};
    return read(device);
}
