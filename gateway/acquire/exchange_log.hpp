#pragma once

#include "gateway/core/ids.hpp"
#include "gateway/core/result.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

namespace gateway {

enum class Framing : std::uint8_t { modbus_tcp, modbus_rtu, lines };

/// The last exchanges with one device as they went over the wire, for people who ask why it does
/// not work. Takes the same memory whatever happens; the newest failure stays when good ones
/// follow. Used on the loop.
class ExchangeLog {
public:
    static constexpr std::size_t most_exchanges = 8, most_sent = 48, most_received = 64;
    using Time = std::chrono::steady_clock::time_point;

    /// The begin of some bytes, and how many there were.
    template <std::size_t most>
    struct Begin {
        std::array<std::uint8_t, most> bytes{};
        std::size_t size = 0;

        ByteView view() const { return ByteView(bytes).first(std::min(size, most)); }
        bool is_cut() const { return size > most; }
    };

    struct Exchange {
        Framing framing = Framing::modbus_tcp;
        Time at;  ///< when it ended
        std::chrono::steady_clock::duration took{};
        Error error;               ///< none when an answer came, also one that refuses
        std::uint8_t refusal = 0;  ///< the code with which the device refused; 0: it did not
        Begin<most_sent> sent;
        Begin<most_received> received;  ///< also what came of a broken answer
    };

    /// Keeps the exchange; what does not fit of `sent` and `received` is left out.
    void add(Exchange exchange, ByteView sent, ByteView received);
    /// Oldest first. A failure that is older than all others comes before them.
    void visit(const std::function<void(const Exchange&)>& with) const;

private:
    std::array<Exchange, most_exchanges> ring_{};
    std::size_t count_ = 0;  ///< ever
    Exchange failure_;
    std::size_t failure_count_ = 0;  ///< count_ after it; 0: there was none
};

}  // namespace gateway
