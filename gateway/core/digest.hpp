#pragma once

#include "gateway/core/ids.hpp"
#include "gateway/core/reading.hpp"

#include <boost/crc.hpp>

#include <cstdint>

namespace gateway {

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4), over bytes given in pieces.
class Crc32c {
public:
    Crc32c& add(ByteView bytes)
    {
        crc_.process_bytes(bytes.data(), bytes.size());
        return *this;
    }
    std::uint32_t value() const { return crc_.checksum(); }

private:
    boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc_;
};

inline std::uint32_t crc32c(ByteView bytes)
{
    return Crc32c().add(bytes).value();
}

/// mix(reading) of protocol.md, section 6; a manifest's `sum` adds these mod 2^64.
std::uint64_t mix(std::uint64_t sequence, const Reading& reading);

}  // namespace gateway
