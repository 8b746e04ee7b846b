#pragma once

#include "gateway/core/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace simulator {

/// How Modbus lies in a stream of bytes.
enum class Framing : std::uint8_t { tcp, rtu };

/// A request that has come. The PDU looks into the bytes it was found in.
struct Asked {
    std::uint16_t transaction = 0;
    std::uint8_t unit = 0;
    gateway::ByteView pdu;
    std::size_t size = 0;  ///< of the whole frame
};

/// What is wrong with an answer.
struct Damage {
    bool short_frame = false, wrong_transaction = false, wrong_unit = false, bad_crc = false;
    bool noise_before = false, noise_after = false;
};

/// The request that `held` begins with; nothing while more of it is to come. `size` alone is set
/// for what is no request and is to be thrown away.
std::optional<Asked> next_request(Framing framing, gateway::ByteView held);

/// The frame that carries `pdu` as the answer.
gateway::Bytes frame_of(Framing framing, const Asked& asked, gateway::ByteView pdu,
                        const Damage& damage);

}  // namespace simulator
