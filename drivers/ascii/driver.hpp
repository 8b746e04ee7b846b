#pragma once

#include "drivers/ascii/frames.hpp"
#include "drivers/ascii/hearing.hpp"
#include "drivers/ascii/line_map.hpp"
#include "drivers/transport/stream_bus.hpp"
#include "gateway/acquire/driver.hpp"
#include "gateway/acquire/exchange_log.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gateway::ascii {

/// A device that answers requests with lines, or speaks them by itself.
class AsciiDriver final : public Driver {
public:
    /// `log`, if any, keeps what goes over the wire and outlives this.
    AsciiDriver(std::shared_ptr<StreamBus> bus, LineMap map, ExchangeLog* log = nullptr);

    /// Of a device that talks: what its next line says. What is due does not matter. A line that
    /// comes while another talking device of the same bus has the turn is lost.
    boost::asio::awaitable<Result<Samples>> read(PointSet due) override;
    boost::asio::awaitable<Result<Identity>> identify() override;
    std::optional<Duration> may_be_silent() const override;

private:
    using RequestOf = const std::vector<std::size_t>&;

    boost::asio::awaitable<Result<Samples>> poll(const std::vector<Source>& sources,
                                                 RequestOf request_of, PointSet due);
    boost::asio::awaitable<Status> ask(const std::string& request, Hearing& hearing);
    boost::asio::awaitable<Status> ask_once(const std::string& request, Hearing& hearing);
    boost::asio::awaitable<Result<Samples>> hear(PointSet rows);
    /// What a line says of the rows; it may also say who speaks. Empty when it says nothing.
    Samples take(std::string_view line, PointSet rows);
    /// Takes lines until the hearing is complete or `lines` of them brought a value.
    boost::asio::awaitable<Status> listen(ByteStream& stream, Hearing& hearing, std::size_t lines);
    boost::asio::awaitable<Status> receive(ByteStream& stream);
    using Steady = std::chrono::steady_clock;
    void keep(std::string_view request, const Status& heard, Steady::time_point begun);

    std::shared_ptr<StreamBus> bus_;
    LineMap map_;
    Frames frames_;
    std::vector<std::uint16_t> all_identity_;
    // Of a device that talks:
    Identity identity_;            // heard so far
    std::optional<Error> damage_;  // of the last line that was damaged
    std::chrono::steady_clock::time_point last_heard_;
    ExchangeLog* log_;
    Bytes heard_;  // since the exchange began, as far as the log keeps it
};

}  // namespace gateway::ascii
