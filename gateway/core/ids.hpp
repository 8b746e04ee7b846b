#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gateway {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

/// 128 bits that name an epoch or a boot; written as 32 hex digits, most significant first.
struct Id128 {
    std::array<std::uint8_t, 16> bytes{};

    /// From getrandom(2).
    static Id128 random();
    /// 32 hex digits; dashes of a UUID are passed over.
    static std::optional<Id128> from_hex(std::string_view text);
    std::string hex() const;
    friend auto operator<=>(const Id128&, const Id128&) = default;
};

using EpochId = Id128;
using BootId = Id128;

/// First 8 bytes of the SHA-256 of a dictionary's bytes, big-endian (protocol.md, section 3).
using DictionaryHash = std::uint64_t;

std::string hash_hex(DictionaryHash hash);                           ///< 16 hex digits
std::optional<DictionaryHash> hash_from_hex(std::string_view text);  ///< exactly 16 hex digits
std::string to_hex(ByteView bytes);
std::array<std::uint8_t, 32> sha256(std::string_view bytes);  ///< FIPS 180-4, by OpenSSL
DictionaryHash dictionary_hash(std::string_view dictionary_bytes);

}  // namespace gateway
