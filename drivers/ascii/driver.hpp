#pragma once

#include "drivers/ascii/frames.hpp"
#include "drivers/ascii/hearing.hpp"
#include "drivers/ascii/line_map.hpp"
#include "drivers/transport/stream_bus.hpp"
#include "gateway/acquire/driver.hpp"

#include <memory>
#include <string>
#include <vector>

namespace gateway::ascii {

/// A device that answers requests with lines, or speaks them by itself.
class AsciiDriver final : public Driver {
public:
    AsciiDriver(std::shared_ptr<StreamBus> bus, LineMap map);

    /// Of a device that talks: what it says from now on, until every due point was said or it was
    /// silent for too long.
    boost::asio::awaitable<Result<Samples>> read(PointSet due) override;
    boost::asio::awaitable<Result<Identity>> identify() override;

private:
    using RequestOf = const std::vector<std::size_t>&;

    boost::asio::awaitable<Result<Samples>> poll(const std::vector<Source>& sources,
                                                 RequestOf request_of, PointSet due);
    boost::asio::awaitable<Status> ask(const std::string& request, Hearing& hearing);
    boost::asio::awaitable<Status> ask_once(const std::string& request, Hearing& hearing);
    boost::asio::awaitable<Result<Samples>> overhear(const std::vector<Source>& sources,
                                                     PointSet due, std::vector<bool>& unheard,
                                                     Duration limit);
    /// Takes lines until the hearing is complete or `lines` of them brought a value.
    boost::asio::awaitable<Status> listen(ByteStream& stream, Hearing& hearing, std::size_t lines);
    boost::asio::awaitable<Status> receive(ByteStream& stream);

    std::shared_ptr<StreamBus> bus_;
    LineMap map_;
    Frames frames_;
    std::vector<std::uint16_t> all_identity_;
    // Points whose line did not come last time: a read does not wait for them until they do.
    std::vector<bool> unheard_, unheard_identity_;
};

}  // namespace gateway::ascii
