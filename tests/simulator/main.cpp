#include "gateway/config/file.hpp"
#include "gateway/config/toml.hpp"
#include "tests/simulator/town.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>

namespace {

namespace asio = boost::asio;

constexpr int wrong_scene = 78;
constexpr int failed = 70;

int play(simulator::Scene scene)
{
    asio::io_context io(1);
    simulator::Town town(io, std::move(scene));
    asio::signal_set stop(io, SIGTERM, SIGINT);
    auto until_stopped = [&]() -> asio::awaitable<void> {
        co_await stop.async_wait(asio::use_awaitable);
        co_await town.stop();
    };
    asio::co_spawn(io, until_stopped(), asio::detached);
    std::puts(town.ready_line().c_str());
    std::fflush(stdout);
    io.run();
    std::puts(town.summary_line().c_str());
    return 0;
}

int simulate(const std::string& file, const std::string& log)
{
    gateway::Mistakes mistakes;
    const auto text = gateway::read_file(file, gateway::longest_document);
    if (!text) {
        mistakes.add({file, 0, 0}, "", text.error().message());
    }
    const auto folder = std::filesystem::absolute(file).parent_path().string();
    auto scene = text ? simulator::parse_scene(*text, file, folder, mistakes) : simulator::Scene{};
    if (!mistakes.empty()) {
        std::fputs(mistakes.text().c_str(), stderr);
        return wrong_scene;
    }
    if (!log.empty()) {
        scene.log = log;
    }
    return play(std::move(scene));
}

/// `count` devices of `points` holding registers (or float32 pairs) that move at each read.
simulator::Scene many(unsigned count, std::uint16_t points, bool floats)
{
    simulator::Scene scene;
    for (unsigned i = 0; i < count; ++i) {
        simulator::Device device;
        device.id = "device-" + std::to_string(i + 1);
        device.walking = static_cast<std::uint16_t>(floats ? 2 * points : points);
        device.walking_floats = floats;
        scene.devices.push_back(std::move(device));
    }
    return scene;
}

}  // namespace

int main(int argc, char** argv)
{
    CLI::App app("Plays Modbus devices until SIGTERM");
    app.require_subcommand(1);
    std::string file;
    std::string log;
    auto* simulate_command = app.add_subcommand("simulate", "play a scene");
    simulate_command->add_option("SCENE", file, "TOML file")->required();
    simulate_command->add_option("--log", log, "append every value served to this file");
    unsigned devices = 1;
    std::uint16_t points = 1000;
    bool floats = false;
    auto* bench_command = app.add_subcommand("bench", "devices that answer as fast as they can");
    bench_command->add_option("--devices", devices)->check(CLI::Range(1, 1000));
    bench_command->add_option("--points", points, "of each device")->check(CLI::Range(1, 32000));
    bench_command->add_flag("--floats", floats, "float32 points of two registers");
    CLI11_PARSE(app, argc, argv);
    try {
        return *simulate_command ? simulate(file, log) : play(many(devices, points, floats));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "smart-gateway-sim: %s\n", error.what());
        return failed;
    }
}
