#include "gateway/store/lane_rows.hpp"

#include "gateway/store/numbers.hpp"

#include <string>

namespace gateway {

namespace {

std::string sql(Lane lane, const std::string& before, const std::string& after)
{
    return before + " " + std::string(to_string(lane)) + " " + after;
}

/// Of all columns but the bytes, which carry a checksum of their own.
std::uint32_t checksum(const RowSpan& span, std::uint64_t sum, ByteView tally)
{
    const auto loss = span.loss ? static_cast<std::uint64_t>(*span.loss) : ~std::uint64_t{0};
    return row_checksum({static_cast<std::uint64_t>(span.id), span.count, loss, sum}, tally);
}

constexpr auto span_columns = "SELECT id, count, loss, length(bytes) FROM";
constexpr auto tally_columns = "SELECT id, count, loss, 0, sum, tally FROM";
constexpr auto select_rows = "SELECT id, count, loss, length(bytes), sum, tally, crc, bytes FROM";

}  // namespace

LaneRows::LaneRows(sqlite::Connection& connection, Lane lane)
    : put_(connection,
           sql(lane, "INSERT OR REPLACE INTO",
               "(id, count, loss, sum, tally, crc, bytes) VALUES (?, ?, ?, ?, ?, ?, ?)")),
      erase_(connection, sql(lane, "DELETE FROM", "WHERE id = ?")),
      find_(connection, sql(lane, select_rows, "WHERE id = ?")),
      tally_at_(connection, sql(lane, tally_columns, "WHERE id = ?")),
      span_at_(connection, sql(lane, span_columns, "WHERE id = ?")),
      span_before_(connection, sql(lane, span_columns, "WHERE id < ? ORDER BY id DESC LIMIT 1")),
      spans_(connection, sql(lane, span_columns, "WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?")),
      next_readings_(connection, sql(lane, "SELECT id FROM",
                                     "WHERE loss IS NULL AND id > ? ORDER BY id LIMIT 1")),
      newest_(connection,
              sql(lane, "SELECT id FROM", "WHERE loss IS NULL ORDER BY id DESC LIMIT 1")),
      after_(connection, sql(lane, select_rows, "WHERE id > ? ORDER BY id"))
{
}

void LaneRows::put(const RowSpan& span, const Tally& tally, ByteView bytes)
{
    std::optional<unsigned> loss;
    if (span.loss) {
        loss = static_cast<unsigned>(*span.loss);
    }
    // Nearly every row is all good; its tally then follows from the count.
    const bool plain = span.loss || (tally.cause.empty() && tally.quality.size() == 1 &&
                                     tally.quality.contains(Quality::good));
    const auto packed = plain ? Bytes() : pack_tally(tally.quality, tally.cause);
    put_.execute(span.id, span.count, loss, tally.sum,
                 plain ? std::optional<ByteView>() : ByteView(packed),
                 checksum(span, tally.sum, packed), bytes);
}

void LaneRows::erase(std::int64_t id)
{
    erase_.execute(id);
}

RowSpan LaneRows::span_from(const sqlite::Statement::Run& row)
{
    RowSpan span{row.integer(0), row.number(1), std::nullopt, row.number(3)};
    if (!row.is_null(2)) {
        span.loss = static_cast<LossReason>(row.integer(2));
    }
    return span;
}

Tally LaneRows::tally_from(const sqlite::Statement::Run& row, std::uint64_t count)
{
    Tally tally;
    tally.count = count;
    tally.sum = row.number(4);
    if (row.is_null(5)) {
        tally.quality[Quality::good] = count;
    } else {
        unpack_tally(row.blob(5), tally.quality, tally.cause);
    }
    return tally;
}

Tally LaneRows::tally_at(std::int64_t id)
{
    auto row = tally_at_.run(id);
    if (!row.next()) {
        return {};
    }
    return row.is_null(2) ? tally_from(row, row.number(1)) : Tally{.tombstoned = row.number(1)};
}

Row LaneRows::row_from(const sqlite::Statement::Run& row)
{
    Row read;
    read.span = span_from(row);
    if (!read.span.loss) {
        read.tally = tally_from(row, read.span.count);
    }
    const auto bytes = row.blob(7);
    read.bytes.assign(bytes.begin(), bytes.end());
    if (checksum(read.span, row.number(4), row.blob(5)) != row.number(6)) {
        throw StoreError::damaged("the columns of row " + std::to_string(read.span.id) +
                                  " do not match their checksum");
    }
    return read;
}

std::optional<Row> LaneRows::find(std::int64_t id)
{
    auto rows = find_.run(id);
    return rows.next() ? std::optional(row_from(rows)) : std::nullopt;
}

std::optional<RowSpan> LaneRows::span_at(std::int64_t id)
{
    auto rows = span_at_.run(id);
    return rows.next() ? std::optional(span_from(rows)) : std::nullopt;
}

std::optional<RowSpan> LaneRows::span_before(std::int64_t id)
{
    auto rows = span_before_.run(id);
    return rows.next() ? std::optional(span_from(rows)) : std::nullopt;
}

std::vector<RowSpan> LaneRows::spans(std::int64_t from, std::int64_t to, std::size_t most)
{
    std::vector<RowSpan> found;
    auto rows = spans_.run(from, to, most);
    while (rows.next()) {
        found.push_back(span_from(rows));
    }
    return found;
}

std::optional<std::int64_t> LaneRows::readings_after(std::int64_t id)
{
    auto rows = next_readings_.run(id);
    return rows.next() ? std::optional(rows.integer(0)) : std::nullopt;
}

std::optional<std::int64_t> LaneRows::newest_readings()
{
    auto rows = newest_.run();
    return rows.next() ? std::optional(rows.integer(0)) : std::nullopt;
}

}  // namespace gateway
