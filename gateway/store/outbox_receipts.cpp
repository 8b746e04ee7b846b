#include "gateway/core/defect.hpp"
#include "gateway/store/change_rows.hpp"
#include "gateway/store/outbox_database.hpp"

#include <algorithm>

namespace gateway {

namespace {

constexpr std::size_t most_rows_freed = 100;  ///< in one job, which is not to take long
constexpr std::uint64_t most_bytes_freed = 256 << 10;
constexpr std::size_t rows_worth_a_commit = 32;  ///< fewer wait for the next one
constexpr std::size_t most_received_ranges = 256;
constexpr std::uint64_t no_sequence_above = most_sequence;

/// `wanted` cut down to the sequences 1 to `head`.
RangeSet clipped(const std::vector<Range>& wanted, std::uint64_t head)
{
    RangeSet inside;
    for (const auto& range : wanted) {
        if (range.first >= 1 && range.first <= range.last && range.first <= head) {
            inside.add({range.first, std::min(range.last, head)});
        }
    }
    return inside;
}

/// The lowest ranges only: what is forgotten of the others comes again with the next receipt.
void bound(RangeSet& ranges)
{
    if (ranges.ranges().size() > most_received_ranges) {
        ranges.remove({ranges.ranges()[most_received_ranges].first, no_sequence_above});
    }
}

/// The bytes are the message that belongs in this place.
bool is_whole(const EpochBook& epoch, Lane lane, const Row& row)
{
    const auto message = decode_header(row.bytes);
    return message && message->header.epoch == epoch.id && message->header.lane == lane &&
           message->header.first == row.span.first() && message->count == row.span.count &&
           message->tombstone == row.span.loss.has_value();
}

}  // namespace

std::vector<StoredBatch> Outbox::Database::read(Lane lane, std::uint32_t epoch_number,
                                                std::uint64_t after, std::size_t most_bytes)
{
    std::vector<StoredBatch> batches;
    std::vector<Row> damaged;
    std::size_t size = 0;
    const auto take = [&](Row row) {
        const auto* epoch = books_.find(epoch_of(row.span.id));
        if (epoch == nullptr || is_freed(lane, row.span.id)) {
            return true;
        }
        if (!is_whole(*epoch, lane, row)) {
            damaged.push_back(std::move(row));
            return damaged.size() < most_rows_freed;
        }
        size += row.bytes.size();
        batches.push_back(stored(*epoch, lane, row.span, std::move(row.bytes)));
        return size < most_bytes;
    };
    rows(lane).visit_after(row_id(epoch_number, std::min(after, most_sequence)), take);
    if (damaged.empty()) {
        return batches;
    }
    change_rows([&] {
        for (auto& row : damaged) {
            auto& epoch = *books_.find(epoch_of(row.span.id));
            batches.push_back(bury(epoch, lane, row, LossReason::damaged));
            events_.push_back({"row-damaged", Severity::error,
                               "A stored batch does not match its checksum and is declared lost: " +
                                   std::string(to_string(lane)) + " " +
                                   std::to_string(row.span.first()) + " to " +
                                   std::to_string(row.span.last()) + " of epoch " + epoch.id.hex(),
                               ""});
        }
        return 0;
    });
    // Merged tombstones may have come twice; the later one is the row as it is now.
    std::ranges::stable_sort(batches, {}, [](const StoredBatch& batch) {
        return row_id(batch.epoch_number, batch.first);
    });
    const auto superseded = [&](const StoredBatch& batch) {
        return std::ranges::any_of(batches, [&](const StoredBatch& other) {
            return other.tombstone && other.epoch_number == batch.epoch_number &&
                   other.count > batch.count && other.first <= batch.first &&
                   other.range().last >= batch.range().last;
        });
    };
    std::vector<StoredBatch> current;
    std::ranges::copy_if(batches, std::back_inserter(current), std::not_fn(superseded));
    return current;
}

bool Outbox::Database::is_freed(Lane lane, std::int64_t id) const
{
    return std::ranges::any_of(
        freed_soon_, [&](const FreedRow& row) { return row.id == id && row.lane == lane; });
}

void Outbox::Database::free_received()
{
    for (const auto& [lane, id, size_bytes] : freed_soon_) {
        auto* epoch = books_.find(epoch_of(id));
        if (epoch != nullptr) {
            add(epoch->lanes[index_of(lane)].freed, rows(lane).tally_at(id));
        }
        rows(lane).erase(id);
    }
}

/// The rows of a range that the platform has are about to leave. True when that is not all.
bool Outbox::Database::free_soon(EpochBook& epoch, Lane lane, const Range& range)
{
    auto& book = epoch.lanes[index_of(lane)];
    std::uint64_t bytes = 0;
    for (const auto& row : freed_soon_) {
        bytes += row.size_bytes;
    }
    const auto end = row_id(epoch.number, range.last);
    auto from = row_id(epoch.number, range.first);
    for (;;) {
        const auto most = most_rows_freed + freed_soon_.size() + 1;
        const auto spans = rows(lane).spans(from, end, most);
        for (const auto& span : spans) {
            from = span.id + 1;
            // What the platform has as readings it does not know to be declared lost.
            const bool is_told = !span.loss || told_losses_.contains({lane, span.id});
            if (!is_told || !book.received.contains({span.first(), span.last()}) ||
                is_freed(lane, span.id)) {
                continue;
            }
            if (freed_soon_.size() == most_rows_freed || bytes > most_bytes_freed) {
                return true;
            }
            freed_soon_.push_back({lane, span.id, span.size_bytes});
            bytes += span.size_bytes;
            told_losses_.erase({lane, span.id});
            book.counters.queued -= span.loss ? 0 : std::min(span.count, book.counters.queued);
            book.bytes -= std::min(span.size_bytes, book.bytes);
            book.changed = true;
        }
        if (spans.size() < most) {
            return false;
        }
    }
}

Outbox::ReceiptOutcome Outbox::Database::apply_receipt(const EpochId& id, Lane lane,
                                                       const std::vector<Range>& ranges)
{
    auto* epoch = planted(Defect::receipt_without_epoch) ? books_.find(current_) : books_.find(id);
    if (epoch == nullptr) {
        return {ReceiptVerdict::unknown_epoch, false};
    }
    auto& book = epoch->lanes[index_of(lane)];
    const auto head = book.counters.head;
    const bool above =
        std::ranges::any_of(ranges, [&](const Range& range) { return range.last > head; });
    if (above && epoch->number == current_) {
        return {ReceiptVerdict::above_head, false};
    }
    const auto news = clipped(ranges, head);
    auto total = book.received;
    total.add(news);
    bound(total);
    if (total != book.received) {
        book.received = std::move(total);
        book.changed = true;
    }
    const bool lied = above && !epoch->is_salvaged();  // else its heads may still rise
    ReceiptOutcome outcome{lied ? ReceiptVerdict::storage_lied : ReceiptVerdict::applied, false};
    for (const auto& range : news.ranges()) {
        outcome.more = outcome.more || free_soon(*epoch, lane, range);
    }
    if (freed_soon_.size() >= rows_worth_a_commit || outcome.more) {
        change_rows([] { return 0; });
    }
    return outcome;
}

void Outbox::Database::note_told(const EpochId& id, Lane lane, Range range)
{
    auto* epoch = books_.find(id);
    if (epoch == nullptr) {
        return;
    }
    const auto row = row_id(epoch->number, range.first);
    const auto span = rows(lane).span_at(row);
    if (!span || !span->loss || span->last() != range.last || is_freed(lane, row)) {
        return;  // it has grown since
    }
    told_losses_.insert({lane, row});
    free_soon(*epoch, lane, range);
}

RangeSet Outbox::Database::received(std::uint32_t epoch_number, Lane lane)
{
    const auto* epoch = books_.find(epoch_number);
    return epoch == nullptr ? RangeSet() : epoch->lanes[index_of(lane)].received;
}

std::uint64_t Outbox::Database::first_held(const EpochBook& epoch, Lane lane)
{
    const auto& book = epoch.lanes[index_of(lane)];
    // Rows that are not here may still come over, or be found to be damaged.
    const auto known = book.first_not_received();
    if (epoch.is_salvaged()) {
        return known;
    }
    const auto end = row_id(epoch.number, most_sequence);
    for (const auto& span :
         rows(lane).spans(row_id(epoch.number, 0), end, freed_soon_.size() + 1)) {
        if (!is_freed(lane, span.id)) {
            return std::min(span.first(), known);
        }
    }
    return known;
}

}  // namespace gateway
