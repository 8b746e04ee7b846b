#include "gateway/core/json.hpp"
#include "gateway/store/change_rows.hpp"
#include "gateway/store/losses.hpp"
#include "gateway/store/outbox_database.hpp"

#include <algorithm>

namespace gateway {

namespace {

constexpr std::uint16_t epoch_opened_row = 1;
constexpr std::uint16_t epoch_closed_row = 2;

Reading control_row(std::uint16_t row, BootTime time, const json::object& fields)
{
    return {{0, row},      time,        Value::of_text(json::serialize(fields)),
            Quality::good, Cause::none, {}};
}

Reading closing_row(const EpochBook& epoch, bool clean, BootTime time, std::uint64_t further_rows)
{
    json::object heads;
    for (const auto lane : all_lanes) {
        const auto own = lane == Lane::control ? further_rows : 0;
        heads[to_string(lane)] = epoch.lanes[index_of(lane)].counters.head + own;
    }
    const json::object fields{{"type", "epoch_closed"},
                              {"epoch", epoch.id.hex()},
                              {"heads", std::move(heads)},
                              {"clean", clean}};
    return control_row(epoch_closed_row, time, fields);
}

}  // namespace

/// Stores the readings from sequence `first` on, in as many rows as `most_bytes` asks for.
void Outbox::Database::put_readings(EpochBook& epoch, const PendingBatch& about,
                                    const CompactReadings& readings, std::size_t most_bytes,
                                    std::uint64_t first, std::vector<StoredBatch>& stored_rows)
{
    const bool fits =
        readings.size() <= most_readings_in_batch && readings.body_bytes() <= most_body_bytes;
    Bytes bytes;
    if (fits) {
        const BatchHeader header{settings_.box, epoch.id,     about.lane,  first,
                                 epoch.boot,    about.opened, about.clock, about.dictionaries};
        bytes = encoder_.encode(header, readings);
    }
    if (readings.size() > 1 && (!fits || bytes.size() > most_bytes)) {
        const auto all = readings.expanded();
        const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
        const std::vector<Reading> front(all.begin(), middle);
        const std::vector<Reading> back(middle, all.end());
        put_readings(epoch, about, front, most_bytes, first, stored_rows);
        put_readings(epoch, about, back, most_bytes, first + front.size(), stored_rows);
        return;
    }
    if (const auto refused = admit(about.lane, bytes.size())) {
        auto lost = loss_of(readings);
        lost.reason = *refused;
        put_refused(epoch, about, std::move(lost), first, stored_rows);
        return;
    }
    const auto tally = tally_of(readings, first);
    const RowSpan span{row_id(epoch.number, first), readings.size(), std::nullopt, bytes.size()};
    rows(about.lane).put(span, tally, bytes);
    auto& book = epoch.lanes[index_of(about.lane)];
    add(book.counters, tally);
    book.counters.queued += span.count;
    book.bytes += span.size_bytes;
    book.changed = true;
    stored_rows.push_back(stored(epoch, about.lane, span, std::move(bytes)));
}

/// Stores readings that have no row yet under the sequences from `first` on.
void Outbox::Database::put_batch(EpochBook& epoch, const PendingBatch& batch, std::uint64_t first,
                                 std::vector<StoredBatch>& stored_rows)
{
    put_readings(epoch, batch, batch.readings, settings_.most_wire_bytes, first, stored_rows);
    auto& head = epoch.lanes[index_of(batch.lane)].counters.head;
    head = std::max(head, first + batch.readings.size() - 1);
    books_.use_dictionaries(epoch, batch.lane, first, batch.dictionaries);
}

void Outbox::Database::append(EpochBook& epoch, const PendingBatch& batch,
                              std::vector<StoredBatch>& stored_rows)
{
    if (!batch.readings.empty()) {
        const auto head = epoch.lanes[index_of(batch.lane)].counters.head;
        put_batch(epoch, batch, head + 1, stored_rows);
    }
}

std::vector<StoredBatch> Outbox::Database::announce_epochs(const Moment& now)
{
    last_moment_ = now;
    return change_rows([&] {
        auto& current = *books_.find(current_);
        json::value previous;
        PendingBatch control{Lane::control, now.boot, now.clock, {}, {}};
        std::vector<Reading> closings;
        for (auto& [number, epoch] : books_.all()) {
            if (number == current_) {
                continue;
            }
            previous = json::string(epoch.id.hex());
            if (epoch.stage == EpochStage::open) {
                closings.push_back(closing_row(epoch, false, now.boot, 0));
                books_.set_stage(epoch, EpochStage::closed);
            }
        }
        const json::object opened{{"type", "epoch_opened"},
                                  {"boot", current.boot.hex()},
                                  {"software", GATEWAY_VERSION},
                                  {"previous", previous}};
        control.readings.push_back(control_row(epoch_opened_row, now.boot, opened));
        for (const auto& closing : closings) {
            control.readings.push_back(closing);
        }
        // Not before now: the spool may have named one that no row had named yet.
        // Nor while rows of a store that was set aside may still come.
        if (std::ranges::none_of(books_.all(),
                                 [](const auto& e) { return e.second.is_salvaged(); })) {
            connection_.execute(
                "DELETE FROM dictionary WHERE hash NOT IN (SELECT hash FROM dictionary_use)");
        }
        std::vector<StoredBatch> rows_written;
        append(current, control, rows_written);
        return rows_written;
    });
}

std::vector<StoredBatch> Outbox::Database::commit(std::uint32_t epoch_number, const Commit& commit)
{
    auto store_all = [&] {
        free_received();
        auto* epoch = books_.find(epoch_number);
        if (epoch == nullptr) {
            throw StoreError("there is no epoch " + std::to_string(epoch_number));
        }
        std::vector<StoredBatch> rows_written;
        for (const auto& loss : commit.losses) {
            put_pending(*epoch, loss, rows_written);
        }
        for (const auto& batch : commit.batches) {
            append(*epoch, batch, rows_written);
            last_moment_ = {batch.opened, batch.clock};
        }
        for (const auto lane : all_lanes) {
            const auto& slots = commit.slots[index_of(lane)];
            auto& book = epoch->lanes[index_of(lane)];
            add(book.counters.slots, slots);
            book.changed = book.changed || slots.expected > 0;
        }
        save_wear();
        return rows_written;
    };
    try {
        return change_rows(store_all);
    } catch (const StoreError& error) {
        const bool is_urgent = std::ranges::any_of(commit.batches, [](const auto& batch) {
            return batch.lane == Lane::alarm || batch.lane == Lane::control;
        });
        if (!error.is_no_space() || !is_urgent) {
            throw;
        }
    }
    // The file may not grow: make room at the cost of lower lanes, then try once more.
    change_rows([&] { return evict_for_urgent(); });
    return change_rows(store_all);
}

/// Says in the current epoch that a salvaged one has ended.
void Outbox::Database::put_closing_row(EpochBook& epoch, std::vector<StoredBatch>& stored_rows)
{
    PendingBatch control{Lane::control, last_moment_.boot, last_moment_.clock, {}, {}};
    control.readings.push_back(closing_row(epoch, false, last_moment_.boot, 0));
    append(*books_.find(current_), control, stored_rows);
}

void Outbox::Database::close_epoch(const std::optional<Moment>& now)
{
    const auto moment = now.value_or(last_moment_);
    change_rows([&] {
        auto& current = *books_.find(current_);
        PendingBatch control{Lane::control, moment.boot, moment.clock, {}, {}};
        control.readings.push_back(closing_row(current, true, moment.boot, 1));
        std::vector<StoredBatch> rows_written;
        append(current, control, rows_written);
        books_.set_stage(current, EpochStage::closed);
        return rows_written;
    });
    write_heads();
}

}  // namespace gateway
