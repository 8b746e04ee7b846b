#pragma once

#include "drivers/mqtt_json/broker.hpp"
#include "drivers/registry.hpp"
#include "gateway/commands/commands.hpp"
#include "gateway/runtime/system_clock.hpp"

#include <boost/asio/io_context.hpp>

#include <filesystem>
#include <string>

namespace gateway {

/// What a driver needs when no service runs.
struct Bench {
    boost::asio::io_context io{1};
    SystemClock clock{io.get_executor()};
    Resolver resolver{io.get_executor()};
    FileWorker files{io.get_executor()};
    Buses buses{io.get_executor(), resolver};
    Worker mqtt_worker;
    mqtt_json::Brokers brokers{io.get_executor(), mqtt_worker, resolver, false};
    std::string config_folder;

    explicit Bench(const std::string& config)
        : config_folder(std::filesystem::absolute(config).parent_path())
    {
    }
    DriverContext context()
    {
        return {io.get_executor(), buses, resolver, clock, files, config_folder, &brokers};
    }
};

/// Polls a device once, without a service, and shows its readings; the exit code.
int read_directly(const CommandOptions& options, const DeviceConfig& device);

}  // namespace gateway
