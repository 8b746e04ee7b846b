#include "drivers/transport/serial_line.hpp"

#include "drivers/transport/asio_stream.hpp"
#include "gateway/core/descriptor.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/serial_port.hpp>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace gateway {

namespace asio = boost::asio;
using asio::serial_port_base;

namespace {

serial_port_base::parity parity_of(const SerialLine& line)
{
    switch (line.parity) {
        case Parity::none:
            return serial_port_base::parity(serial_port_base::parity::none);
        case Parity::even:
            return serial_port_base::parity(serial_port_base::parity::even);
        case Parity::odd:
            return serial_port_base::parity(serial_port_base::parity::odd);
    }
    return serial_port_base::parity();
}

class SerialStream final : public AsioStream<asio::serial_port> {
public:
    SerialStream(const asio::any_io_executor& executor, SerialLine line)
        : AsioStream(asio::serial_port(executor)), line_(std::move(line))
    {
    }
    ~SerialStream() override
    {
        if (stream_.is_open()) {
            // Closing a port whose adapter is gone must not wait for what it can no longer send.
            ::tcflush(stream_.native_handle(), TCIOFLUSH);
        }
    }

    asio::awaitable<Status> connect() override
    {
        Error error;
        stream_.open(line_.path, error);
        if (!error) {
            error = prepare();
        }
        co_return to_status(error);
    }

    Result<std::size_t> drain() override
    {
        if (!leads_here()) {
            return Fault::closed;
        }
        std::array<std::uint8_t, 512> unwanted{};
        std::size_t drained = 0;
        // A line that is never silent is left to the answer's own checks.
        while (drained < 16 * unwanted.size()) {
            const auto count = ::read(stream_.native_handle(), unwanted.data(), unwanted.size());
            if (count == 0) {
                return Fault::closed;
            }
            if (count < 0) {
                const auto error = last_error();
                return error == asio::error::would_block ? Result<std::size_t>(drained) : error;
            }
            drained += static_cast<std::size_t>(count);
        }
        return drained;
    }

private:
    Error prepare()
    {
        const auto file = stream_.native_handle();
        struct ::stat status {};
        if (::ioctl(file, TIOCEXCL) != 0 || ::fcntl(file, F_SETFD, FD_CLOEXEC) != 0 ||
            ::fstat(file, &status) != 0) {
            return last_error();
        }
        device_ = status.st_rdev;
        const auto stop = line_.stop_bits == 2 ? serial_port_base::stop_bits::two
                                               : serial_port_base::stop_bits::one;
        Error error;
        const auto set = [&](const auto& option) {
            if (!error) {
                stream_.set_option(option, error);
            }
        };
        set(serial_port_base::baud_rate(line_.baud));
        set(serial_port_base::character_size(line_.data_bits));
        set(parity_of(line_));
        set(serial_port_base::stop_bits(stop));
        set(serial_port_base::flow_control(serial_port_base::flow_control::none));
        ::tcflush(file, TCIFLUSH);  // what came before we listened
        return error;
    }

    /// An adapter that comes back often does so under another name, behind the same link.
    bool leads_here() const
    {
        struct ::stat status {};
        return ::stat(line_.path.c_str(), &status) == 0 && status.st_rdev == device_;
    }

    SerialLine line_;
    ::dev_t device_{};
};

}  // namespace

SerialLine serial_line(const SettingTable& connect)
{
    const auto parity = get(connect, "parity", std::string("none"));
    const auto number = [&](const char* key, std::int64_t otherwise) {
        return get(connect, key, otherwise);
    };
    return {.path = get(connect, "serial", std::string()),
            .baud = static_cast<std::uint32_t>(number("baud", 9600)),
            .parity = parity == "even"  ? Parity::even
                      : parity == "odd" ? Parity::odd
                                        : Parity::none,
            .data_bits = static_cast<std::uint8_t>(number("bits", 8)),
            .stop_bits = static_cast<std::uint8_t>(number("stop", 1))};
}

std::string describe(const SerialLine& line)
{
    const char parity = line.parity == Parity::even ? 'E' : line.parity == Parity::odd ? 'O' : 'N';
    return line.path + " with " + std::to_string(line.baud) + " " + std::to_string(line.data_bits) +
           parity + std::to_string(line.stop_bits);
}

Duration time_on(const SerialLine& line, std::size_t characters)
{
    constexpr unsigned start_bit = 1;
    const unsigned parity_bit = line.parity == Parity::none ? 0 : 1;
    const auto bits = start_bit + line.data_bits + parity_bit + line.stop_bits;
    return std::chrono::nanoseconds(1'000'000'000ULL * bits * characters / line.baud);
}

std::unique_ptr<ByteStream> make_serial_stream(asio::any_io_executor executor, SerialLine line)
{
    return std::make_unique<SerialStream>(executor, std::move(line));
}

}  // namespace gateway
