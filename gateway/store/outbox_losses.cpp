#include "gateway/store/outbox_database.hpp"

#include <algorithm>
#include <array>

namespace gateway {

namespace {

constexpr std::array eviction_order{Lane::diagnostic, Lane::telemetry, Lane::billing};
constexpr std::size_t most_evictions = 100;  ///< in one job
constexpr std::size_t most_loss_counts = 256;

void merge_counts(std::vector<LossCount>& total, const std::vector<LossCount>& more)
{
    for (const auto& lost : more) {
        const auto at = std::ranges::lower_bound(total, lost.alias, {}, &LossCount::alias);
        if (at != total.end() && at->alias == lost.alias) {
            at->count += lost.count;
        } else {
            total.insert(at, lost);
        }
    }
}

std::vector<LossCount> counts_of(const std::vector<Reading>& readings)
{
    std::vector<Alias> aliases;
    aliases.reserve(readings.size());
    for (const auto& reading : readings) {
        aliases.push_back(reading.alias);
    }
    std::ranges::sort(aliases);
    std::vector<LossCount> counts;
    for (const auto& alias : aliases) {
        if (counts.empty() || counts.back().alias != alias) {
            counts.push_back({alias, 0});
        }
        ++counts.back().count;
    }
    return counts;
}

/// What is known of the readings of a batch that is being given up.
Tombstone loss_of(const Batch& batch)
{
    if (const auto* already = std::get_if<Tombstone>(&batch.content)) {
        return *already;
    }
    const auto& readings = std::get<std::vector<Reading>>(batch.content);
    const auto [first, last] = std::ranges::minmax(readings, {}, &Reading::time);
    return {readings.size(), LossReason::evicted, first.time, last.time, counts_of(readings)};
}

void widen(std::optional<BootTime>& first, std::optional<BootTime>& last, const Tombstone& other)
{
    if (other.first_time && (!first || *other.first_time < *first)) {
        first = other.first_time;
    }
    if (other.last_time && (!last || *other.last_time > *last)) {
        last = other.last_time;
    }
}

}  // namespace

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
    const auto& other = std::get<Tombstone>(batch->content);
    merge_counts(lost.counts, other.counts);
    widen(lost.first_time, lost.last_time, other);
    rows(lane).erase(neighbour->id);
    span.id = std::min(span.id, neighbour->id);
    span.count += neighbour->count;
    span.size_bytes += neighbour->size_bytes;
}

/// Puts a tombstone in the place of a row; the counters follow.
StoredBatch Outbox::Database::bury(EpochBook& epoch, Lane lane, const Row& row, LossReason reason)
{
    auto& book = epoch.lanes[index_of(lane)];
    Tombstone lost;
    BatchHeader header{settings_.box, epoch.id, lane, 0, epoch.boot, {}, {}, {}};
    if (const auto batch = decoder_.decode(row.bytes)) {
        lost = loss_of(*batch);
        header.opened = batch->header.opened;
        header.clock = batch->header.clock;
    }
    lost.reason = reason;
    auto span = row.span;
    span.loss = reason;
    rows(lane).erase(span.id);
    merge_with(lane, rows(lane).span_before(span.id), span, lost);
    merge_with(lane, rows(lane).span_at(row_id(epoch.number, span.last() + 1)), span, lost);
    lost.count = span.count;
    if (lost.counts.size() > most_loss_counts) {
        lost.counts.clear();
    }
    header.first = span.first();
    auto bytes = encoder_.encode(header, lost);
    if (!row.span.loss) {
        subtract(book.counters, row.tally);
        book.counters.queued -= std::min(row.span.count, book.counters.queued);
        book.counters.tombstoned += row.span.count;
    }
    book.bytes -= std::min(span.size_bytes, book.bytes);
    book.bytes += bytes.size();
    book.changed = true;
    span.size_bytes = bytes.size();
    rows(lane).put(span, {}, bytes);
    return stored(epoch, lane, span, std::move(bytes));
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

bool Outbox::Database::evict_one()
{
    for (const auto lane : eviction_order) {
        const auto oldest = rows(lane).oldest_readings();
        auto row = oldest ? rows(lane).find(*oldest) : std::nullopt;
        auto* epoch = row ? books_.find(epoch_of(row->span.id)) : nullptr;
        if (epoch == nullptr) {
            continue;
        }
        bury(*epoch, lane, *row, LossReason::evicted);
        if (!std::exchange(evicting_, true)) {
            events_.push_back({"store-full", Severity::error,
                               "The store's budget is used up: the oldest readings of lane " +
                                   std::string(to_string(lane)) + " are being declared lost",
                               ""});
        }
        return true;
    }
    return false;
}

void Outbox::Database::evict_to_budget()
{
    for (std::size_t i = 0; i < most_evictions && used_bytes() > settings_.budget_bytes; ++i) {
        if (!evict_one()) {
            return;
        }
    }
    if (used_bytes() < settings_.budget_bytes / 10 * 9) {
        evicting_ = false;
    }
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
