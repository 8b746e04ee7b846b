#pragma once

#include "drivers/modbus/client.hpp"
#include "drivers/modbus/plan.hpp"
#include "gateway/acquire/driver.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace gateway::modbus {

/// What came of a block that the device answered.
enum class Taken : std::uint8_t { all, not_all };

/// One Modbus unit. A merged request that the device refuses is asked again in
/// halves, and what caused it is remembered.
class ModbusDriver final : public Driver {
public:
    /// The client is shared with whoever else asks this unit.
    ModbusDriver(std::shared_ptr<Client> client, Layout points, Layout identity);

    boost::asio::awaitable<Result<Samples>> read(PointSet due) override;
    boost::asio::awaitable<Result<Identity>> identify() override;

private:
    boost::asio::awaitable<Result<Samples>> collect(Layout& layout, PointSet due);
    /// An error when the device did not answer.
    boost::asio::awaitable<Result<Taken>> read_block(Layout& layout, const Block& block,
                                                     Samples& samples);
    boost::asio::awaitable<Result<Taken>> read_halves(Layout& layout, const Block& block,
                                                      Samples& samples);
    boost::asio::awaitable<Result<Taken>> read_identification(const Block& block, Samples& samples);

    std::shared_ptr<Client> client_;
    Layout points_, identity_;
    std::vector<std::uint16_t> all_identity_;
};

}  // namespace gateway::modbus
