#pragma once

#include "drivers/registry.hpp"
#include "gateway/config/binding.hpp"
#include "gateway/core/json.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace gateway {

/// A Modbus line or host whose units are to be found.
struct ScanRequest {
    SettingTable connect;  ///< without the unit
    unsigned first = 1, last = 247;
    Duration limit = std::chrono::minutes(5);
};

/// `bus` as people write it: a host, "host:port", a serial port, or `key=value,…` as in `connect`.
/// Every mistake is told.
ScanRequest scan_request(std::string_view bus, Mistakes& mistakes);
/// The same as `connect` takes it: a host is `tcp=10.0.0.5:502`, a serial port `serial=/dev/tty…`.
std::string bus_as_connect(std::string_view bus);
/// `tcp=10.0.0.5:502,unit=1`, or the site file's own `{ tcp = "10.0.0.5:502", unit = 1 }`, as TOML.
std::string connect_as_toml(std::string text);

struct FoundUnit {
    unsigned unit = 0;
    std::string says;                   ///< of itself: maker, model, release
    std::vector<std::string> profiles;  ///< whose identification it fulfils
    std::string trouble;                ///< it answers, but not as one unit would
};

struct ScanReport {
    std::vector<FoundUnit> units;
    unsigned asked = 0;            ///< units that were asked
    bool ignores_numbers = false;  ///< whatever the number, the same device answers
    std::string problem;           ///< why it ended early; empty: it did not

    json::object object() const;
};

/// Hears how far it is; false ends the scan.
using ScanStep = std::function<boost::asio::awaitable<bool>(std::string progress)>;

/// Asks every unit for one register, and those that answer who they are. Reads only; each exchange
/// takes its turn on the bus, so devices that are being read go on.
boost::asio::awaitable<ScanReport> scan_bus(ScanRequest request, DriverContext context,
                                            ProfileSet profiles, ScanStep step);

}  // namespace gateway
