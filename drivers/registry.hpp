#pragma once

#include "drivers/transport/buses.hpp"
#include "gateway/acquire/driver.hpp"
#include "gateway/acquire/exchange_log.hpp"
#include "gateway/config/binding.hpp"
#include "gateway/runtime/clock.hpp"
#include "gateway/runtime/file_worker.hpp"
#include "gateway/runtime/resolver.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace gateway {

namespace mqtt_json {
class Brokers;
}

/// What a driver may use of the box. All of it outlives the drivers.
struct DriverContext {
    boost::asio::any_io_executor executor;
    Buses& buses;
    Resolver& resolver;
    Clock& clock;
    FileWorker& files;
    std::string config_folder = ".";        ///< of the site file: secrets lie beside it
    mqtt_json::Brokers* brokers = nullptr;  ///< null: no device behind a broker can be read
    ExchangeLog* exchanges = nullptr;  ///< where the driver keeps what goes over its wire, or null
};

/// The driver that the device's profile names. Null with every mistake of the profile's addresses
/// and the site's connection. Does no I/O.
std::unique_ptr<Driver> make_driver(const DeviceConfig& device, const DriverContext& context,
                                    Mistakes& mistakes);

/// What only the driver can find wrong with a profile: addresses that do not exist, values that do
/// not fit into a request.
void check_driver_part(const Profile& profile, Mistakes& mistakes);

/// Whether this release can read devices of this driver.
bool has_driver(std::string_view name);

/// Runs every `[[example]]` of the profile through the driver's own plan and decoder; one text per
/// reading that came out other than expected. Empty: all as expected.
std::vector<std::string> run_examples(const Profile& profile);

/// One request that a poll makes.
struct PlannedRequest {
    Duration poll{};            ///< the period of the points it brings
    std::string text;           ///< "holding 3027 to 3028: voltage_l1_n"
    std::size_t bytes = 0;      ///< there and back
    Duration on_serial_line{};  ///< at the rate the maker names first; zero: not on a serial line
};

/// An exchange in words.
struct ExchangeText {
    std::string request, answer;
};
using Explainer = std::function<ExchangeText(const ExchangeLog::Exchange&)>;
/// For exchanges with devices of this profile, which outlives the explainer.
Explainer explainer(const Profile& profile);
/// Whether this driver keeps its exchanges in an ExchangeLog.
bool keeps_exchanges(std::string_view driver);

/// The requests of each poll period when all of its points are due. Empty for a driver that asks
/// nothing. The profile is free of mistakes.
std::vector<PlannedRequest> describe_plan(const Profile& profile);

}  // namespace gateway
