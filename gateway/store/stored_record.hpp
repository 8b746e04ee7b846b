#pragma once

#include "gateway/core/ids.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace gateway {

/// A big-endian number of `size` bytes, as SQLite's files hold them; the bytes must be there.
std::uint32_t big_endian(ByteView bytes, std::size_t at, std::size_t size = 4);
/// A number of 1 to 9 bytes; moves `at` behind it, or beyond the end when it is cut off.
std::uint64_t varint(ByteView bytes, std::size_t& at);

/// A row as it lies in a page of a table: its rowid and its columns (SQLite's record format).
class StoredRecord {
public:
    StoredRecord(std::int64_t rowid, Bytes payload);

    std::int64_t rowid() const { return rowid_; }
    std::size_t columns() const { return columns_.size(); }  ///< 0: not a record
    // Of the wrong type, or beyond the end: zero, or nothing.
    std::int64_t integer(std::size_t column) const;
    ByteView blob(std::size_t column) const;
    std::string_view text(std::size_t column) const;

private:
    struct Column {
        std::uint64_t type = 0;
        std::size_t at = 0;
        std::size_t size = 0;
    };
    ByteView of_type(std::size_t column, std::uint64_t odd) const;

    std::int64_t rowid_;
    Bytes payload_;
    std::vector<Column> columns_;
};

}  // namespace gateway
