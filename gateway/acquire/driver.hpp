#pragma once

#include "gateway/core/reading.hpp"
#include "gateway/core/result.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace gateway {

/// Rows of the points that are due, ascending. Lent: it lives until the read returns.
using PointSet = std::span<const std::uint16_t>;

/// What each `[[identify]]` of the profile gave, in the profile's order; nothing where the device
/// did not say.
using Identity = std::vector<std::optional<Value>>;

/// One device on the wire. Constructing a driver does no I/O; it borrows its bus for each exchange,
/// and the bus opens and reopens the connection. Runs on the loop.
class Driver {
public:
    Driver() = default;
    Driver(const Driver&) = delete;
    Driver& operator=(const Driver&) = delete;
    virtual ~Driver() = default;

    /// Reads what is due in as few exchanges as the profile allows, or waits for what the device
    /// says next. One sample per due point, each a value or a failure. Fails as a whole only when
    /// the device did not answer.
    virtual boost::asio::awaitable<Result<Samples>> read(PointSet due) = 0;

    /// Asks the device who it is. Fails as a whole only when it did not answer.
    virtual boost::asio::awaitable<Result<Identity>> identify() = 0;

    /// How long a device that talks by itself may be silent; nothing: it is asked. Of one that
    /// talks, read() gives samples of what its next message speaks of, whatever is due, and keeps
    /// the messages that come between two reads; identify() gives what it has said so far, at once,
    /// and fails with Fault::not_found until that is enough.
    virtual std::optional<Duration> may_be_silent() const { return std::nullopt; }
};

}  // namespace gateway
