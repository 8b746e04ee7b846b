#include "gateway/core/defect.hpp"
#include "gateway/store/change_rows.hpp"
#include "gateway/store/losses.hpp"
#include "gateway/store/outbox_database.hpp"

#include <algorithm>

namespace gateway {

/// Takes the tombstone beside `span`, when there is one of the same reason, into `span` and `lost`.
void Outbox::Database::merge_with(Lane lane, const std::optional<RowSpan>& neighbour, RowSpan& span,
                                  Tombstone& lost)
{
    const bool touches =
        neighbour && epoch_of(neighbour->id) == epoch_of(span.id) &&
        (neighbour->last() + 1 == span.first() || span.last() + 1 == neighbour->first());
    if (!touches || neighbour->loss != span.loss || is_freed(lane, neighbour->id)) {
        return;
    }
    const auto row = rows(lane).find(neighbour->id);
    const auto batch = row ? decoder_.decode(row->bytes) : Fault::bad_checksum;
    if (!batch || !std::holds_alternative<Tombstone>(batch->content)) {
        return;
    }
    merge(lost, std::get<Tombstone>(batch->content));
    rows(lane).erase(neighbour->id);
    told_losses_.erase({lane, neighbour->id});
    span.id = std::min(span.id, neighbour->id);
    span.count += neighbour->count;
    span.size_bytes += neighbour->size_bytes;
}

/// Stores a tombstone, with its neighbours of the same reason; `span` has their bytes in it
/// already.
StoredBatch Outbox::Database::put_loss(EpochBook& epoch, Lane lane, RowSpan span,
                                       const Moment& moment, Tombstone lost)
{
    span.loss = lost.reason;
    merge_with(lane, rows(lane).span_before(span.id), span, lost);
    merge_with(lane, rows(lane).span_at(row_id(epoch.number, span.last() + 1)), span, lost);
    lost.count = span.count;
    const BatchHeader header{settings_.box, epoch.id,    lane,         span.first(),
                             epoch.boot,    moment.boot, moment.clock, {}};
    auto bytes = encoder_.encode(header, lost);
    auto& book = epoch.lanes[index_of(lane)];
    book.bytes -= std::min(span.size_bytes, book.bytes);
    book.bytes += bytes.size();
    book.changed = true;
    span.size_bytes = bytes.size();
    rows(lane).put(span, {}, bytes);
    told_losses_.erase({lane, span.id});
    return stored(epoch, lane, span, std::move(bytes));
}

/// Puts a tombstone in the place of a row; the counters follow.
StoredBatch Outbox::Database::bury(EpochBook& epoch, Lane lane, const Row& row, LossReason reason)
{
    auto& book = epoch.lanes[index_of(lane)];
    Tombstone lost;
    Moment moment;
    if (auto batch = decoder_.decode_as_loss(row.bytes)) {
        lost = std::move(std::get<Tombstone>(batch->content));
        moment = {batch->header.opened, batch->header.clock};
    }
    lost.reason = reason;
    lost.count = row.span.count;
    rows(lane).erase(row.span.id);
    if (!row.span.loss) {
        subtract(book.counters, row.tally);
        book.counters.queued -= std::min(row.span.count, book.counters.queued);
        books_.lose(epoch, lane, row.span.count);
    }
    if (planted(Defect::tombstone_after_drop)) {
        connection_.execute("COMMIT; BEGIN IMMEDIATE");
    }
    return put_loss(epoch, lane, row.span, moment, std::move(lost));
}

/// Readings that never got into a row take their sequences as a tombstone.
void Outbox::Database::put_pending(EpochBook& epoch, const PendingLoss& loss,
                                   std::vector<StoredBatch>& stored_rows)
{
    auto& book = epoch.lanes[index_of(loss.lane)];
    const RowSpan span{row_id(epoch.number, book.counters.head + 1), loss.lost.count,
                       loss.lost.reason, 0};
    stored_rows.push_back(put_loss(epoch, loss.lane, span, {loss.opened, loss.clock}, loss.lost));
    book.counters.head += loss.lost.count;
    books_.lose(epoch, loss.lane, loss.lost.count);
}

std::optional<StoredBatch> Outbox::Database::declare_lost(std::uint32_t epoch_number, Lane lane,
                                                          std::uint64_t first, LossReason reason)
{
    auto* epoch = books_.find(epoch_number);
    const auto id = row_id(epoch_number, std::min(first, most_sequence));
    if (epoch == nullptr || is_freed(lane, id)) {
        return std::nullopt;
    }
    const auto row = rows(lane).find(id);
    if (!row) {
        return std::nullopt;
    }
    return change_rows([&] { return bury(*epoch, lane, *row, reason); });
}

std::vector<StoredBatch> Outbox::Database::split(std::uint32_t epoch_number, Lane lane,
                                                 std::uint64_t first, std::size_t most_bytes)
{
    auto* epoch = books_.find(epoch_number);
    const auto id = row_id(epoch_number, std::min(first, most_sequence));
    const auto row = epoch == nullptr || is_freed(lane, id) ? std::nullopt : rows(lane).find(id);
    if (!row || row->span.loss) {
        return {};
    }
    const auto batch = decoder_.decode(row->bytes);
    if (!batch) {
        return {};
    }
    return change_rows([&] {
        const auto& header = batch->header;
        const PendingBatch about{lane, header.opened, header.clock, header.dictionaries, {}};
        auto& book = epoch->lanes[index_of(lane)];
        rows(lane).erase(id);
        subtract(book.counters, row->tally);
        book.counters.queued -= std::min(row->span.count, book.counters.queued);
        book.bytes -= std::min(row->span.size_bytes, book.bytes);
        std::vector<StoredBatch> parts;
        put_readings(*epoch, about, std::get<std::vector<Reading>>(batch->content), most_bytes,
                     first, parts);
        return parts;
    });
}

}  // namespace gateway
