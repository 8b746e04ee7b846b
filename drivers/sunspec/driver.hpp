#pragma once

#include "drivers/modbus/client.hpp"
#include "drivers/modbus/driver.hpp"
#include "drivers/sunspec/map.hpp"
#include "gateway/acquire/driver.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace gateway::sunspec {

/// One SunSpec device. Finds its models before the first read, whenever it is asked who it is, and
/// after it was silent: another device may have come in its place.
class SunspecDriver final : public Driver {
public:
    SunspecDriver(std::shared_ptr<modbus::Client> client, Map map);

    boost::asio::awaitable<Result<Samples>> read(PointSet due) override;
    boost::asio::awaitable<Result<Identity>> identify() override;

private:
    /// The registers of one set of points, once the models are known.
    struct Registers {
        Registers(Layout found, std::shared_ptr<modbus::Client> client,
                  const modbus::Limits& limits);

        Layout layout;
        modbus::ModbusDriver driver;
        std::vector<std::uint16_t> asked{};  ///< by the read under way
    };

    boost::asio::awaitable<Status> find_models();
    boost::asio::awaitable<Result<std::uint16_t>> find_base();
    boost::asio::awaitable<Result<std::vector<Model>>> walk(std::uint16_t base);
    boost::asio::awaitable<Result<Samples>> collect(Registers& registers,
                                                    const std::vector<Wanted>& wanted,
                                                    PointSet due);

    std::shared_ptr<modbus::Client> client_;  // shared with the drivers of the registers
    Map map_;
    std::unique_ptr<Registers> points_, identity_;  // null while the models are not known
    std::vector<std::uint16_t> all_identity_;
};

}  // namespace gateway::sunspec
