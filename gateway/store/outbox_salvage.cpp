// What a store that was set aside held comes over into the one in use, and what is missing is
// declared, in slices.
#include "gateway/store/change_rows.hpp"
#include "gateway/store/rescue.hpp"
#include "gateway/store/schema.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iterator>

namespace gateway {

namespace {

using namespace std::chrono_literals;

constexpr auto slice = 8ms;
constexpr auto progress_key = "salvage";  ///< "store:id": rows of that store below id came over

std::string progress_text(unsigned store, std::int64_t id)
{
    return std::to_string(store) + ":" + std::to_string(id);
}

std::int64_t progress_of(unsigned store, const std::string& text)
{
    const auto prefix = std::to_string(store) + ":";
    std::int64_t id = 0;
    if (text.starts_with(prefix)) {
        std::from_chars(text.data() + prefix.size(), text.data() + text.size(), id);
    }
    return id;
}

}  // namespace

SalvageStep Outbox::Database::salvage()
{
    return rescue_->salvage();
}

SalvageStep Outbox::Database::Rescue::salvage()
{
    SalvageStep step;
    try {
        const auto aside = source ? Aside::begun : begin_rescue();
        if (aside != Aside::begun) {
            const bool concluded =
                aside == Aside::none && (conclude_epoch(step) || conclude_spool());
            step.next = concluded ? SalvageStep::Next::at_once : SalvageStep::Next::none;
        } else if (!scanned) {
            scan_rescue();
            step.next = SalvageStep::Next::at_once;
        } else if (has_room_for_salvage()) {
            move_rows(step);
            step.next = SalvageStep::Next::at_once;
        }
    } catch (...) {
        source.reset();  // what this slice took out of the source is read again
        covered_by_lane.clear();
        throw;
    }
    return step;
}

/// New readings come first: the rest waits where it is until they have been delivered.
bool Outbox::Database::Rescue::has_room_for_salvage()
{
    store.measure_disk();
    return store.used_bytes() < store.limit_bytes(false) / 4 * 3;
}

Outbox::Database::Rescue::Aside Outbox::Database::Rescue::begin_rescue()
{
    const auto stores = store.folders_.all();
    auto aside = stores ? Aside::none : Aside::waits;
    for (const auto number : stores.value_or(std::vector<unsigned>())) {
        if (number >= store.number_) {
            break;
        }
        const auto path = store.folders_.database(number);
        from = progress_of(number, store.state(progress_key).value_or(""));
        source.emplace(path, from, true);
        if (source->is_readable() && can_read_schema(source->version().value_or(0))) {
            source_number = number;
            received.clear();
            scanned = false;
            first_scan = true;
            return Aside::begun;
        }
        source.reset();
        aside = Aside::waits;
    }
    return aside;
}

void Outbox::Database::Rescue::scan_rescue()
{
    Salvage::Found found;
    scanned = source->scan(std::chrono::steady_clock::now() + slice, found);
    for (const auto& [number, lane, had] : found.books) {
        received[lane_key(number, lane)].add(had.received);
    }
    if (!first_scan || from > 0) {
        return;  // all but the rows came with the first
    }
    store.change_rows([&] {
        take_in(found);
        return 0;
    });
}

void Outbox::Database::Rescue::take_in(const Salvage::Found& found)
{
    for (const auto& [hash, bytes] : found.dictionaries) {
        store.put_dictionary(hash, bytes);
    }
    for (const auto& [key, value] : found.states) {
        if (key == wear_key) {
            store.wear_.restore(value);
        }
        if (key != progress_key && !store.state(key)) {
            store.set_state(key, value);
        }
    }
    for (const auto& [number, lane, had] : found.books) {
        auto* epoch = store.books_.find(number);
        if (epoch == nullptr || !epoch->is_salvaged()) {
            continue;
        }
        auto& book = epoch->lanes[index_of(lane)];
        book.received.add(had.received);
        // Of a store that failed the heads and slots are known; what its last commit freed is not.
        const bool is_unknown = epoch->stage == EpochStage::salvaged;
        if (is_unknown) {
            book.counters.head = std::max(book.counters.head, had.counters.head);
        }
        if (had.freed.count >= book.freed.count) {  // pages left over from before have less
            take_in_freed(*epoch, lane, had.freed);
            if (is_unknown) {
                book.counters.slots = had.counters.slots;
            }
        }
        book.changed = true;
    }
}

/// Rows that an older store has given may be those that this one freed: they count once.
void Outbox::Database::Rescue::take_in_freed(EpochBook& epoch, Lane lane, const Tally& freed)
{
    const auto number = epoch.number;
    if (!store.rows(lane).spans(row_id(number, 0), row_id(number + 1, 0), 1).empty()) {
        return;
    }
    auto& book = epoch.lanes[index_of(lane)];
    subtract(book.counters, book.freed);  // rows of a store before this one stay counted
    add(book.counters, freed);
    book.freed = freed;
}

/// Takes rows over until the slice ends, in one transaction with how far that came.
void Outbox::Database::Rescue::move_rows(SalvageStep& step)
{
    const auto deadline = std::chrono::steady_clock::now() + slice;
    auto reached = from;
    store.change_rows([&] {
        std::optional<std::int64_t> last;
        // Lanes share ids: rows of one id come in one slice.
        while (source->next_id() &&
               (source->next_id() == last || std::chrono::steady_clock::now() < deadline)) {
            last = source->next_id();
            if (const auto message = source->next()) {
                last = message->id;
                take_over(*message, step);
            }
            reached = *last + 1;
        }
        store.set_state(progress_key, progress_text(source_number, reached));
        return 0;
    });
    from = reached;
    if (source->next_id()) {
        return;
    }
    if (!source->was_last_scan()) {
        source->scan_again();
        scanned = false;
        first_scan = false;
        return;
    }
    store.folders_.remove(source_number);
    store.events_.push_back({"store-salvaged", Severity::info,
                             "What store/" + std::to_string(source_number) +
                                 " held has come over: " + std::to_string(salvaged) +
                                 " readings; not readable: " + std::to_string(lost_readings),
                             ""});
    source.reset();
}

/// The epoch that a message of another store belongs to; nothing when it is not for salvage.
EpochBook* Outbox::Database::Rescue::epoch_for(const BatchHeader& header, std::int64_t id)
{
    auto* epoch = store.books_.find(header.epoch);
    if (epoch == nullptr) {
        const auto number = epoch_of(id);
        if (number == 0 || number >= store.current_ || store.books_.find(number) != nullptr) {
            return nullptr;
        }
        epoch = &store.books_.put({number, header.epoch, header.boot, EpochStage::salvaged, {}});
    }
    if (!epoch->is_salvaged()) {
        return nullptr;
    }
    if (epoch->boot == BootId()) {
        epoch->boot = header.boot;  // the heads file has none
        store.books_.set_stage(*epoch, epoch->stage);
    }
    return epoch;
}

void Outbox::Database::Rescue::take_over(const Salvage::Message& message, SalvageStep& step)
{
    const auto batch = store.decoder_.decode(message.bytes);
    auto* epoch = batch ? epoch_for(batch->header, message.id) : nullptr;
    if (epoch == nullptr || batch->header.first + batch->count() > most_sequence) {
        return;
    }
    const auto& header = batch->header;
    const auto lane = header.lane;
    auto& book = epoch->lanes[index_of(lane)];
    RowSpan span{row_id(epoch->number, header.first), batch->count(), std::nullopt,
                 message.bytes.size()};
    const bool was_durable =
        epoch->stage != EpochStage::salvaged_to_head || span.last() <= book.counters.head;
    if (!was_durable || is_here(*epoch, lane, span)) {
        return;
    }
    Tally tally;
    if (const auto* readings = std::get_if<std::vector<Reading>>(&batch->content)) {
        tally = tally_of(*readings, header.first);
    } else {
        span.loss = std::get<Tombstone>(batch->content).reason;
        tally.tombstoned = span.count;
    }
    book.changed = true;
    if (book.received.contains({span.first(), span.last()})) {
        // Delivered. Not counted when it may be the rest of a row that was freed before.
        const auto& had = received[lane_key(epoch->number, lane)];
        if (source->knows_free_pages() || !had.contains({span.first(), span.last()})) {
            add(book.freed, tally);
            add(book.counters, tally);
        }
        return;
    }
    declare_holes(*epoch, lane, span.first() - 1, LossReason::damaged, step);
    store.rows(lane).put(span, tally, message.bytes);
    add(book.counters, tally);
    book.counters.queued += tally.count;
    book.counters.head = std::max(book.counters.head, span.last());
    book.bytes += span.size_bytes;
    store.books_.use_dictionaries(*epoch, lane, span.first(), header.dictionaries);
    covered(*epoch, lane) = span.last();
    salvaged += tally.count;
    step.stored.push_back(store.stored(*epoch, lane, span, message.bytes));
}

bool Outbox::Database::Rescue::is_here(const EpochBook& epoch, Lane lane, const RowSpan& span)
{
    const auto before = store.rows(lane).span_before(span.id);
    return !store.rows(lane).spans(span.id, row_id(epoch.number, span.last()), 1).empty() ||
           (before && epoch_of(before->id) == epoch.number && before->last() >= span.first());
}

/// The sequence up to which a lane's rows are here, delivered or declared lost.
std::uint64_t& Outbox::Database::Rescue::covered(const EpochBook& epoch, Lane lane)
{
    const auto [at, is_new] = covered_by_lane.try_emplace(lane_key(epoch.number, lane), 0);
    if (is_new) {  // salvage goes on after a start: what came over before is here
        const auto last = store.rows(lane).span_before(row_id(epoch.number + 1, 0));
        at->second = last && epoch_of(last->id) == epoch.number ? last->last() : 0;
    }
    return at->second;
}

/// What is neither here nor delivered, between what is covered and `last`, is lost.
void Outbox::Database::Rescue::declare_holes(EpochBook& epoch, Lane lane, std::uint64_t last,
                                             LossReason reason, SalvageStep& step)
{
    auto& done = covered(epoch, lane);
    if (last <= done) {
        return;
    }
    for (const auto& hole : epoch.lanes[index_of(lane)].received.holes({done + 1, last})) {
        const RowSpan span{row_id(epoch.number, hole.first), hole.size(), reason, 0};
        Tombstone lost;
        lost.reason = reason;
        step.stored.push_back(store.put_loss(epoch, lane, span, store.last_moment_, lost));
        store.books_.lose(epoch, lane, span.count);
        lost_readings += span.count;
    }
    done = last;
}

/// After the last row of the last store: declares the ends of one salvaged epoch's lanes and closes
/// it. False when there is none.
bool Outbox::Database::Rescue::conclude_epoch(SalvageStep& step)
{
    const auto at = std::ranges::find_if(store.books_.all(),
                                         [](const auto& e) { return e.second.is_salvaged(); });
    if (at == store.books_.all().end()) {
        return false;
    }
    std::uint64_t recovered = 0;
    const auto closing = store.change_rows([&] {
        auto& epoch = at->second;
        for (const auto& spooled : kept) {
            recovered += put_spooled(epoch, spooled, step);
        }
        for (const auto lane : all_lanes) {
            auto& book = epoch.lanes[index_of(lane)];
            declare_holes(epoch, lane, book.counters.head, LossReason::store_lost, step);
            // What the platform has, and no row or counter told of, is in neither number.
            const auto held = std::min(book.counters.head, book.counters.count);
            book.counters.tombstoned =
                std::min(book.counters.tombstoned, book.counters.head - held);
            book.changed = true;
        }
        store.books_.set_stage(epoch, EpochStage::closed);
        std::vector<StoredBatch> rows_written;
        store.put_closing_row(epoch, rows_written);
        return rows_written;
    });
    std::ranges::copy(closing, std::back_inserter(step.stored));
    step.epochs_changed = true;
    std::erase_if(kept, [&](const SpooledBatch& spooled) {
        const bool is_placed = spooled.header.epoch == at->second.id;
        if (is_placed) {
            std::error_code ignored;
            std::filesystem::remove(spooled.path, ignored);
        }
        return is_placed;
    });
    if (recovered > 0) {
        store.events_.push_back(spool_recovered(recovered));
    }
    return true;
}

}  // namespace gateway
