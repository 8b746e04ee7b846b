#include "gateway/core/ids.hpp"

#include <openssl/sha.h>
#include <sys/random.h>

#include <cerrno>
#include <system_error>

namespace gateway {

namespace {

std::optional<unsigned> digit(char c)
{
    if (c >= '0' && c <= '9') {
        return static_cast<unsigned>(c - '0');
    }
    if (c >= 'a' && c <= 'f') {
        return static_cast<unsigned>(c - 'a' + 10);
    }
    if (c >= 'A' && c <= 'F') {
        return static_cast<unsigned>(c - 'A' + 10);
    }
    return std::nullopt;
}

}  // namespace

Id128 Id128::random()
{
    Id128 id;
    // Up to 256 bytes come whole once the pool is initialised (getrandom(2)).
    if (getrandom(id.bytes.data(), id.bytes.size(), 0) != static_cast<ssize_t>(id.bytes.size())) {
        throw std::system_error(errno, std::generic_category(), "getrandom");
    }
    return id;
}

std::optional<Id128> Id128::from_hex(std::string_view text)
{
    Id128 id;
    std::size_t digits = 0;
    for (const char c : text) {
        if (c == '-') {
            continue;
        }
        const auto value = digit(c);
        if (!value || digits == 32) {
            return std::nullopt;
        }
        auto& byte = id.bytes[digits / 2];
        byte = static_cast<std::uint8_t>((unsigned{byte} << 4) | *value);
        ++digits;
    }
    return digits == 32 ? std::optional(id) : std::nullopt;
}

std::string Id128::hex() const
{
    return to_hex(bytes);
}

std::string to_hex(ByteView bytes)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(2 * bytes.size());
    for (const auto byte : bytes) {
        text.push_back(digits[byte >> 4]);
        text.push_back(digits[byte & 15U]);
    }
    return text;
}

std::string hash_hex(DictionaryHash hash)
{
    std::array<std::uint8_t, 8> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::uint8_t>(hash >> (56 - 8 * i));
    }
    return to_hex(bytes);
}

std::optional<DictionaryHash> hash_from_hex(std::string_view text)
{
    if (text.size() != 16) {
        return std::nullopt;
    }
    DictionaryHash hash = 0;
    for (const char c : text) {
        const auto value = digit(c);
        if (!value) {
            return std::nullopt;
        }
        hash = (hash << 4) | *value;
    }
    return hash;
}

std::array<std::uint8_t, 32> sha256(std::string_view bytes)
{
    std::array<std::uint8_t, 32> digest{};
    const std::vector<std::uint8_t> copy(bytes.begin(), bytes.end());
    SHA256(copy.data(), copy.size(), digest.data());
    return digest;
}

DictionaryHash dictionary_hash(std::string_view dictionary_bytes)
{
    const auto digest = sha256(dictionary_bytes);
    DictionaryHash hash = 0;
    for (std::size_t i = 0; i < 8; ++i) {
        hash = (hash << 8) | digest[i];
    }
    return hash;
}

}  // namespace gateway
