#include "gateway/store/lane_rows.hpp"

#include "gateway/core/digest.hpp"

#include <string>

namespace gateway {

namespace {

std::string sql(Lane lane, const std::string& before, const std::string& after)
{
    return before + " " + std::string(to_string(lane)) + " " + after;
}

constexpr auto span_columns = "SELECT id, count, loss, length(bytes) FROM";
constexpr auto row_columns = "SELECT id, count, loss, length(bytes), sum, tally, crc, bytes FROM";

}  // namespace

LaneRows::LaneRows(sqlite::Connection& connection, Lane lane)
    : put_(connection,
           sql(lane, "INSERT OR REPLACE INTO",
               "(id, count, loss, sum, tally, crc, bytes) VALUES (?, ?, ?, ?, ?, ?, ?)")),
      erase_(connection, sql(lane, "DELETE FROM", "WHERE id = ?")),
      find_(connection, sql(lane, row_columns, "WHERE id = ?")),
      span_at_(connection, sql(lane, span_columns, "WHERE id = ?")),
      span_before_(connection, sql(lane, span_columns, "WHERE id < ? ORDER BY id DESC LIMIT 1")),
      spans_(connection, sql(lane, span_columns, "WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?")),
      oldest_(connection, sql(lane, "SELECT id FROM", "WHERE loss IS NULL ORDER BY id LIMIT 1")),
      after_(connection, sql(lane, row_columns, "WHERE id > ? ORDER BY id"))
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
                 plain ? std::optional<ByteView>() : ByteView(packed), crc32c(bytes), bytes);
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

Row LaneRows::row_from(const sqlite::Statement::Run& row)
{
    Row read;
    read.span = span_from(row);
    if (!read.span.loss) {
        read.tally.count = read.span.count;
        read.tally.sum = row.number(4);
        if (row.is_null(5)) {
            read.tally.quality[Quality::good] = read.span.count;
        } else {
            unpack_tally(row.blob(5), read.tally.quality, read.tally.cause);
        }
    }
    const auto bytes = row.blob(7);
    read.bytes.assign(bytes.begin(), bytes.end());
    read.intact = crc32c(bytes) == row.number(6);
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

std::optional<std::int64_t> LaneRows::oldest_readings()
{
    auto rows = oldest_.run();
    return rows.next() ? std::optional(rows.integer(0)) : std::nullopt;
}

}  // namespace gateway
