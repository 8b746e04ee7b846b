#pragma once

#include "gateway/core/lane.hpp"
#include "gateway/store/batch.hpp"
#include "gateway/store/sqlite.hpp"
#include "gateway/store/tally.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace gateway {

/// Epoch number << 40 | sequence: the rowid of the row that begins with that sequence.
constexpr std::int64_t row_id(std::uint32_t epoch_number, std::uint64_t first)
{
    return static_cast<std::int64_t>((std::uint64_t{epoch_number} << 40) | first);
}
constexpr std::uint32_t epoch_of(std::int64_t id)
{
    return static_cast<std::uint32_t>(static_cast<std::uint64_t>(id) >> 40);
}
constexpr std::uint64_t most_sequence = (std::uint64_t{1} << 40) - 1;
constexpr std::uint64_t first_of(std::int64_t id)
{
    return static_cast<std::uint64_t>(id) & most_sequence;
}

/// A row without its bytes.
struct RowSpan {
    std::int64_t id = 0;
    std::uint64_t count = 0;
    std::optional<LossReason> loss;  ///< nothing: readings
    std::uint64_t size_bytes = 0;

    std::uint64_t first() const { return first_of(id); }
    std::uint64_t last() const { return first() + count - 1; }
};

/// A row that is to be deleted.
struct FreedRow {
    Lane lane = Lane::telemetry;
    std::int64_t id = 0;
    std::uint64_t size_bytes = 0;
};

struct Row {
    RowSpan span;
    Tally tally;  ///< empty for a tombstone
    Bytes bytes;
};

/// The table of one lane. Columns that do not match their checksum are StoreError; whether the
/// bytes do is for their reader to find.
class LaneRows {
public:
    LaneRows(sqlite::Connection& connection, Lane lane);

    void put(const RowSpan& span, const Tally& tally, ByteView bytes);  ///< replaces the same id
    void erase(std::int64_t id);
    std::optional<Row> find(std::int64_t id);
    Tally tally_at(std::int64_t id);                      ///< of no row: zero
    std::optional<RowSpan> span_at(std::int64_t id);      ///< the row with this id
    std::optional<RowSpan> span_before(std::int64_t id);  ///< the last row below
    std::vector<RowSpan> spans(std::int64_t from, std::int64_t to, std::size_t most);
    std::optional<std::int64_t> readings_after(std::int64_t id);  ///< the next row that is no loss
    std::optional<std::int64_t> newest_readings();

    /// Rows after `id`, ascending, until `visit(row)` says no.
    template <typename Visit>
    void visit_after(std::int64_t id, Visit visit)
    {
        auto rows = after_.run(id);
        while (rows.next()) {
            if (!visit(row_from(rows))) {
                return;
            }
        }
    }

private:
    static Tally tally_from(const sqlite::Statement::Run& row, std::uint64_t count);
    static Row row_from(const sqlite::Statement::Run& row);
    static RowSpan span_from(const sqlite::Statement::Run& row);

    sqlite::Statement put_, erase_, find_, tally_at_, span_at_, span_before_, spans_,
        next_readings_, newest_, after_;
};

}  // namespace gateway
