#pragma once

#include "drivers/transport/byte_stream.hpp"
#include "gateway/config/setting.hpp"
#include "gateway/core/reading.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace gateway {

enum class Parity : std::uint8_t { none, even, odd };

/// A serial port and how a character looks on it.
struct SerialLine {
    std::string path;  ///< a name below /dev/serial/by-id stays with its adapter
    std::uint32_t baud = 9600;
    Parity parity = Parity::none;
    std::uint8_t data_bits = 8;
    std::uint8_t stop_bits = 1;

    bool operator==(const SerialLine&) const = default;
};

/// The line that `serial`, `baud`, `parity`, `bits` and `stop` of a checked `connect` describe.
SerialLine serial_line(const SettingTable& connect);

/// "/dev/ttyS0 with 9600 8N1"
std::string describe(const SerialLine& line);

/// How long so many characters take on the wire.
Duration time_on(const SerialLine& line, std::size_t characters);

/// Opens the port for this process alone. It counts as ended once the adapter is gone or the path
/// leads to another port, also while the old one is still open.
std::unique_ptr<ByteStream> make_serial_stream(boost::asio::any_io_executor executor,
                                               SerialLine line);

}  // namespace gateway
