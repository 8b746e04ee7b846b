#pragma once

#include "gateway/core/digest.hpp"
#include "gateway/core/ids.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <map>
#include <utility>

namespace gateway {

static_assert(std::endian::native == std::endian::little,
              "columns are written as they lie in memory");

/// A column of 64-bit numbers.
class Numbers {
public:
    Numbers& put(std::uint64_t number)
    {
        const auto raw = std::bit_cast<std::array<std::uint8_t, 8>>(number);
        bytes_.insert(bytes_.end(), raw.begin(), raw.end());
        return *this;
    }
    template <typename Key>
    Numbers& put(const std::map<Key, std::uint64_t>& counts)
    {
        put(counts.size());
        for (const auto& [key, count] : counts) {
            put(static_cast<std::uint64_t>(key));
            put(count);
        }
        return *this;
    }
    Bytes take() { return std::move(bytes_); }

private:
    Bytes bytes_;
};

/// Takes the numbers back out. Tolerates any bytes: what is missing is zero.
class NumberReader {
public:
    explicit NumberReader(ByteView bytes) : bytes_(bytes) {}

    bool at_end() const { return bytes_.size() < 8; }
    std::uint64_t next()
    {
        std::uint64_t number = 0;
        if (!at_end()) {
            std::memcpy(&number, bytes_.data(), 8);
            bytes_ = bytes_.subspan(8);
        }
        return number;
    }
    template <typename Key>
    std::map<Key, std::uint64_t> counts()
    {
        std::map<Key, std::uint64_t> read;
        for (auto left = next(); left > 0 && !at_end(); --left) {
            const auto key = static_cast<Key>(next());
            read[key] = next();
        }
        return read;
    }

private:
    ByteView bytes_;
};

/// The CRC-32C of a row's columns: SQLite does not notice a flipped bit.
inline std::uint32_t row_checksum(std::initializer_list<std::uint64_t> numbers, ByteView first = {},
                                  ByteView second = {})
{
    Crc32c crc;
    for (const auto number : numbers) {
        crc.add(std::bit_cast<std::array<std::uint8_t, 8>>(number));
    }
    return crc.add(first).add(second).value();
}

}  // namespace gateway
