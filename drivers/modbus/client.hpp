#pragma once

#include "drivers/modbus/link.hpp"
#include "drivers/transport/buses.hpp"
#include "gateway/config/site.hpp"

#include <cstdint>
#include <memory>
#include <optional>

namespace gateway::modbus {

/// How the maker of a unit wants it to be asked.
struct Settings {
    Duration timeout = std::chrono::seconds(1);  ///< of one exchange, once connected
    unsigned retries = 2;
    Duration gap{};                     ///< silence between two requests on the bus
    std::optional<std::uint32_t> baud;  ///< the rate the maker names first, for a serial line
};

/// Asks one unit, and asks again when the answer was lost. While the unit does
/// not answer at all it is asked once.
class Client {
public:
    Client(std::unique_ptr<Link> link, std::uint8_t unit, unsigned retries);

    /// `request.unit` is filled in. A gateway that reports its unit as silent or
    /// out of reach gives the error of a unit that is.
    boost::asio::awaitable<Result<Answer>> ask(Request request, Buffer& buffer);
    void set_silent(bool silent) { silent_ = silent; }
    /// Every exchange is kept there from now on; it outlives this.
    void record_in(ExchangeLog* log) { log_ = log; }

private:
    void keep(const Result<Answer>& answer, const Wire& wire, const Buffer& buffer,
              std::chrono::steady_clock::time_point begun);

    std::unique_ptr<Link> link_;
    ExchangeLog* log_ = nullptr;
    std::uint8_t unit_;
    unsigned retries_;
    bool silent_ = false;
};

/// The client for a unit where the site has put it: on TCP, on a serial line,
/// or as RTU in a TCP connection. Null with a mistake when that cannot be. Does
/// no I/O.
std::shared_ptr<Client> make_client(const SiteDevice& device, const Settings& settings,
                                    Buses& buses, Mistakes& mistakes);

}  // namespace gateway::modbus
