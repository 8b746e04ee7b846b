#pragma once

#include "drivers/modbus/plan.hpp"
#include "drivers/transport/stream_bus.hpp"
#include "gateway/acquire/driver.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace gateway::modbus {

/// How one unit is talked to.
struct Settings {
    std::uint8_t unit = 1;
    Duration timeout = std::chrono::seconds(1);  ///< of one exchange, once connected
    unsigned retries = 2;
    Duration gap{};  ///< silence between two requests on the bus
};

/// What came of a block that the device answered.
enum class Taken : std::uint8_t { all, not_all };

/// One Modbus unit. Each exchange takes its own turn on the bus, so that units interleave. A merged
/// request that the device refuses is asked again in halves, and what caused it is remembered.
/// While a device does not answer at all it is asked once, without retries.
class ModbusDriver final : public Driver {
public:
    ModbusDriver(std::shared_ptr<StreamBus> bus, Settings settings, Layout points, Layout identity);

    boost::asio::awaitable<Result<Samples>> read(PointSet due) override;
    boost::asio::awaitable<Result<Identity>> identify() override;

private:
    using Buffer = std::span<std::uint8_t>;

    boost::asio::awaitable<Result<Samples>> collect(Layout& layout, PointSet due);
    /// An error when the device did not answer.
    boost::asio::awaitable<Result<Taken>> read_block(Layout& layout, const Block& block,
                                                     Samples& samples);
    boost::asio::awaitable<Result<Taken>> read_halves(Layout& layout, const Block& block,
                                                      Samples& samples);
    boost::asio::awaitable<Result<Taken>> read_identification(const Block& block, Samples& samples);
    boost::asio::awaitable<Result<Answer>> ask(Request request, Buffer buffer);
    boost::asio::awaitable<Result<Answer>> exchange(Request request, Buffer buffer);

    std::shared_ptr<StreamBus> bus_;
    Settings settings_;
    Layout points_, identity_;
    std::vector<std::uint16_t> all_identity_;
    bool silent_ = false;  ///< the last read found no device
};

}  // namespace gateway::modbus
