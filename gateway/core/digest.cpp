#include "gateway/core/digest.hpp"

namespace gateway {

namespace {

std::uint64_t split_mix(std::uint64_t x)
{
    x += 0x9E3779B97F4A7C15U;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
    return x ^ (x >> 31);
}

std::uint64_t bits_of(const Value& value)
{
    if (value.is_text()) {
        const std::vector<std::uint8_t> bytes(value.text().begin(), value.text().end());
        return crc32c(bytes);
    }
    return value.bits();
}

}  // namespace

std::uint64_t mix(std::uint64_t sequence, const Reading& reading)
{
    const auto tag = std::uint64_t{reading.alias.packed()} |
                     (std::uint64_t{static_cast<std::uint8_t>(reading.quality)} << 32) |
                     (std::uint64_t{static_cast<std::uint8_t>(reading.value.kind())} << 40) |
                     (std::uint64_t{static_cast<std::uint16_t>(reading.cause)} << 48);
    const auto time = static_cast<std::uint64_t>(reading.time.time_since_epoch().count());
    return split_mix(split_mix(split_mix(split_mix(sequence) ^ tag) ^ time) ^
                     bits_of(reading.value));
}

}  // namespace gateway
