// The layouts are those of "Database File Format" (sqlite.org/fileformat2.html), sections 1.6
// and 2.1.
#include "gateway/store/stored_record.hpp"

#include <array>

namespace gateway {

std::uint32_t big_endian(ByteView bytes, std::size_t at, std::size_t size)
{
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < size; ++i) {
        number = number << 8 | bytes[at + i];
    }
    return number;
}

/// A number of 1 to 9 bytes; moves `at` behind it, or beyond the end.
std::uint64_t varint(ByteView bytes, std::size_t& at)
{
    std::uint64_t number = 0;
    for (int i = 0; i < 9; ++i) {
        if (at >= bytes.size()) {
            at = bytes.size() + 1;
            return 0;
        }
        const auto byte = bytes[at++];
        if (i == 8) {
            return number << 8 | byte;
        }
        number = number << 7 | (byte & 0x7FU);
        if (byte < 0x80) {
            break;
        }
    }
    return number;
}

namespace {

std::size_t size_of_type(std::uint64_t type)
{
    constexpr std::array<std::size_t, 12> sizes{0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};
    return type < sizes.size() ? sizes[type] : (type - 12) / 2;
}

}  // namespace

StoredRecord::StoredRecord(std::int64_t rowid, Bytes payload)
    : rowid_(rowid), payload_(std::move(payload))
{
    std::size_t at = 0;
    const auto header_end = varint(payload_, at);
    if (header_end > payload_.size()) {
        return;
    }
    const auto header = ByteView(payload_).first(header_end);
    std::vector<Column> columns;
    std::size_t value_at = header_end;
    while (at < header.size()) {
        const auto type = varint(header, at);
        const auto size = size_of_type(type);
        if (at > header.size() || size > payload_.size() - value_at) {
            return;
        }
        columns.push_back({type, value_at, size});
        value_at += size;
    }
    columns_ = std::move(columns);
}

std::int64_t StoredRecord::integer(std::size_t column) const
{
    if (column >= columns_.size()) {
        return 0;
    }
    const auto& [type, at, size] = columns_[column];
    if (type == 9) {
        return 1;
    }
    if (type < 1 || type > 6) {
        return 0;
    }
    std::uint64_t number = (payload_[at] & 0x80U) != 0 ? ~std::uint64_t{0} : 0;
    for (std::size_t i = 0; i < size; ++i) {
        number = number << 8 | payload_[at + i];
    }
    return static_cast<std::int64_t>(number);
}

ByteView StoredRecord::of_type(std::size_t column, std::uint64_t odd) const
{
    if (column >= columns_.size()) {
        return {};
    }
    const auto& [type, at, size] = columns_[column];
    return type >= 12 && type % 2 == odd ? ByteView(payload_).subspan(at, size) : ByteView();
}

ByteView StoredRecord::blob(std::size_t column) const
{
    return of_type(column, 0);
}

std::string_view StoredRecord::text(std::size_t column) const
{
    const auto bytes = of_type(column, 1);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace gateway
