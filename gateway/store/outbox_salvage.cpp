// What a store that was set aside held comes over into the one in use, and what is missing is
// declared, in slices.
#include "gateway/store/rescue.hpp"
#include "gateway/store/schema.hpp"

#include <algorithm>
#include <charconv>

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
    SalvageStep step;
    try {
        if (!rescue_ && !begin_rescue()) {
            const bool waits = folders_.all().front() != number_;  // one of a newer version
            const bool concluded = !waits && conclude_epoch(step);
            step.next = concluded ? SalvageStep::Next::at_once : SalvageStep::Next::none;
        } else if (!rescue_->scanned) {
            scan_rescue();
            step.next = SalvageStep::Next::at_once;
        } else if (has_room_for_salvage()) {
            move_rows(step);
            step.next = SalvageStep::Next::at_once;
        }
    } catch (...) {
        rescue_.reset();  // what this slice took out of the source is read again
        covered_.clear();
        throw;
    }
    return step;
}

/// New readings come first: the rest waits where it is until they have been delivered.
bool Outbox::Database::has_room_for_salvage()
{
    measure_disk();
    return used_bytes() < limit_bytes(false) / 4 * 3;
}

bool Outbox::Database::begin_rescue()
{
    for (const auto number : folders_.all()) {
        const auto path = folders_.database(number);
        if (number >= number_) {
            break;
        }
        if (can_read_schema(StoreImage(path).version().value_or(0))) {
            const auto from = progress_of(number, state(progress_key).value_or(""));
            rescue_ = std::make_unique<Rescue>(number, path, from);
            return true;
        }
    }
    return false;
}

void Outbox::Database::scan_rescue()
{
    Salvage::Found found;
    rescue_->scanned = rescue_->source.scan(std::chrono::steady_clock::now() + slice, found);
    for (const auto& [number, lane, had] : found.books) {
        rescue_->received[lane_key(number, lane)].add(had.received);
    }
    if (!rescue_->first_scan || rescue_->from > 0) {
        return;  // all but the rows came with the first
    }
    change_rows([&] {
        take_in(found);
        return 0;
    });
}

void Outbox::Database::take_in(const Salvage::Found& found)
{
    for (const auto& [hash, bytes] : found.dictionaries) {
        put_dictionary(hash, bytes);
    }
    for (const auto& [key, value] : found.states) {
        if (key == wear_key) {
            wear_.restore(value);
        }
        if (key != progress_key && !state(key)) {
            set_state(key, value);
        }
    }
    for (const auto& [number, lane, had] : found.books) {
        auto* epoch = books_.find(number);
        if (epoch == nullptr || epoch->stage != EpochStage::salvaged) {
            continue;
        }
        auto& book = epoch->lanes[index_of(lane)];
        book.received.add(had.received);
        book.counters.head = std::max(book.counters.head, had.counters.head);
        if (had.freed.count >= book.freed.count) {  // pages left over from before have less
            LaneCounters counters;
            counters.head = book.counters.head;
            counters.slots = had.counters.slots;
            add(counters, had.freed);
            book.counters = counters;
            book.freed = had.freed;
        }
        book.changed = true;
    }
}

/// Takes rows over until the slice ends, in one transaction with how far that came.
void Outbox::Database::move_rows(SalvageStep& step)
{
    const auto deadline = std::chrono::steady_clock::now() + slice;
    auto& source = rescue_->source;
    auto from = rescue_->from;
    change_rows([&] {
        std::optional<std::int64_t> last;
        // Lanes share ids: rows of one id come in one slice.
        while (source.next_id() &&
               (source.next_id() == last || std::chrono::steady_clock::now() < deadline)) {
            last = source.next_id();
            if (const auto message = source.next()) {
                last = message->id;
                take_over(*message, step);
            }
            from = *last + 1;
        }
        set_state(progress_key, progress_text(rescue_->number, from));
        return 0;
    });
    rescue_->from = from;
    if (source.next_id()) {
        return;
    }
    if (!source.was_last_scan()) {
        source.scan_again();
        rescue_->scanned = false;
        rescue_->first_scan = false;
        return;
    }
    folders_.remove(rescue_->number);
    events_.push_back({"store-salvaged", Severity::info,
                       "What store/" + std::to_string(rescue_->number) +
                           " held has come over: " + std::to_string(salvaged_) +
                           " readings; not readable: " + std::to_string(salvage_lost_),
                       ""});
    rescue_.reset();
}

/// The epoch that a message of another store belongs to; nothing when it is not for salvage.
EpochBook* Outbox::Database::epoch_for(const BatchHeader& header, std::int64_t id)
{
    auto* epoch = books_.find(header.epoch);
    if (epoch == nullptr) {
        const auto number = epoch_of(id);
        if (number == 0 || number >= current_ || books_.find(number) != nullptr) {
            return nullptr;
        }
        epoch = &books_.put({number, header.epoch, header.boot, EpochStage::salvaged, {}});
    }
    if (!epoch->is_salvaged()) {
        return nullptr;
    }
    if (epoch->boot == BootId()) {
        epoch->boot = header.boot;  // the heads file has none
        books_.set_stage(*epoch, epoch->stage);
    }
    return epoch;
}

void Outbox::Database::take_over(const Salvage::Message& message, SalvageStep& step)
{
    const auto batch = decoder_.decode(message.bytes);
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
    const auto before = rows(lane).span_before(span.id);
    const bool is_here =
        !rows(lane).spans(span.id, row_id(epoch->number, span.last()), 1).empty() ||
        (before && epoch_of(before->id) == epoch->number && before->last() >= span.first());
    if (!was_durable || is_here) {
        return;
    }
    Tally tally;
    if (const auto* readings = std::get_if<std::vector<Reading>>(&batch->content)) {
        tally = tally_of(*readings, header.first);
    } else {
        span.loss = std::get<Tombstone>(batch->content).reason;
    }
    book.changed = true;
    if (book.received.contains({span.first(), span.last()})) {
        // Delivered. Not counted when it may be the rest of a row that was freed before.
        const auto& had = rescue_->received[lane_key(epoch->number, lane)];
        if (rescue_->source.knows_free_pages() || !had.contains({span.first(), span.last()})) {
            add(book.freed, tally);
            add(book.counters, tally);
        }
        return;
    }
    declare_holes(*epoch, lane, span.first() - 1, LossReason::damaged, step);
    rows(lane).put(span, tally, message.bytes);
    add(book.counters, tally);
    book.counters.queued += tally.count;
    book.counters.head = std::max(book.counters.head, span.last());
    book.bytes += span.size_bytes;
    books_.use_dictionaries(*epoch, lane, span.first(), header.dictionaries);
    covered(*epoch, lane) = span.last();
    salvaged_ += tally.count;
    step.stored.push_back(stored(*epoch, lane, span, message.bytes));
}

/// The sequence up to which a lane's rows are here, delivered or declared lost.
std::uint64_t& Outbox::Database::covered(const EpochBook& epoch, Lane lane)
{
    const auto [at, is_new] = covered_.try_emplace(lane_key(epoch.number, lane), 0);
    if (is_new) {  // salvage goes on after a start: what came over before is here
        const auto last = rows(lane).span_before(row_id(epoch.number + 1, 0));
        at->second = last && epoch_of(last->id) == epoch.number ? last->last() : 0;
    }
    return at->second;
}

/// What is neither here nor delivered, between what is covered and `last`, is lost.
void Outbox::Database::declare_holes(EpochBook& epoch, Lane lane, std::uint64_t last,
                                     LossReason reason, SalvageStep& step)
{
    auto& done = covered(epoch, lane);
    if (last <= done) {
        return;
    }
    for (const auto& hole : epoch.lanes[index_of(lane)].received.holes({done + 1, last})) {
        const RowSpan span{row_id(epoch.number, hole.first), hole.last - hole.first + 1, reason, 0};
        Tombstone lost;
        lost.reason = reason;
        step.stored.push_back(put_loss(epoch, lane, span, last_moment_, lost));
        salvage_lost_ += span.count;
    }
    done = last;
}

/// After the last row of the last store: declares the ends of one salvaged epoch's lanes and closes
/// it. False when there is none.
bool Outbox::Database::conclude_epoch(SalvageStep& step)
{
    const auto at =
        std::ranges::find_if(books_.all(), [](const auto& e) { return e.second.is_salvaged(); });
    if (at == books_.all().end()) {
        return false;
    }
    change_rows([&] {
        auto& epoch = at->second;
        for (const auto lane : all_lanes) {
            auto& book = epoch.lanes[index_of(lane)];
            declare_holes(epoch, lane, book.counters.head, LossReason::store_lost, step);
            book.counters.tombstoned =
                book.counters.head - std::min(book.counters.head, book.counters.count);
            book.changed = true;
        }
        books_.set_stage(epoch, EpochStage::closed);
        put_closing_row(epoch, step.stored);
        return 0;
    });
    step.epochs_changed = true;
    return true;
}

}  // namespace gateway
