#include "gateway/store/outbox_database.hpp"
#include "gateway/store/change_rows.hpp"

#include "gateway/store/numbers.hpp"
#include "gateway/store/rescue.hpp"
#include "gateway/store/schema.hpp"

#include <sqlite3.h>

#include <algorithm>

namespace gateway {

namespace {

constexpr std::int64_t checkpoint_bytes = 2 << 20;
constexpr auto wear_interval = std::chrono::minutes(10);
/// Where a store begins to number its epochs when nothing tells what the one before it had.
constexpr std::uint32_t epochs_of_an_unknown_store = 1 << 20;

ByteView bytes_of(std::string_view text)
{
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

int note_wal_pages(void* pages, sqlite3* /*database*/, const char* /*schema*/, int count)
{
    *static_cast<std::int64_t*>(pages) = count;
    return SQLITE_OK;
}

/// An epoch that this store has nothing of but its heads.
EpochBook from_heads(const EpochHeads& heads)
{
    EpochBook epoch{heads.number, heads.epoch, {}, EpochStage::salvaged, {}};
    for (const auto lane : all_lanes) {
        epoch.lanes[index_of(lane)].counters.head = heads.heads[index_of(lane)];
    }
    return epoch;
}

}  // namespace

std::int64_t state_id(std::string_view key)
{
    return crc32c(bytes_of(key));
}

std::uint32_t state_checksum(std::string_view key, std::string_view value)
{
    return row_checksum({key.size()}, bytes_of(key), bytes_of(value));
}

std::uint32_t dictionary_checksum(DictionaryHash hash, std::string_view bytes)
{
    return row_checksum({hash}, bytes_of(bytes));
}

Outbox::Database::Database(const OutboxSettings& settings, const StoreFolders& folders,
                           unsigned number, Wear& wear, Opening opening)
    : settings_(settings),
      folders_(folders),
      number_(number),
      wear_(wear),
      connection_(open_outbox_file(folders.database(number), rows_budget(settings_.budget_bytes),
                                   opening.renew_wal)),
      books_(connection_),
      put_dictionary_(connection_,
                      "INSERT OR REPLACE INTO dictionary(hash, bytes, crc) VALUES (?, ?, ?)"),
      dictionary_(connection_, "SELECT bytes, crc FROM dictionary WHERE hash = ?"),
      put_state_(connection_,
                 "INSERT OR REPLACE INTO state(id, key, value, crc) VALUES (?, ?, ?, ?)"),
      state_(connection_, "SELECT value, crc FROM state WHERE id = ?"),
      page_count_(connection_, "PRAGMA page_count"),
      free_count_(connection_, "PRAGMA freelist_count"),
      heads_(settings_.directory + "/heads"),
      page_bytes_(std::stoull(connection_.pragma("page_size"))),
      rescue_(std::make_unique<Rescue>(*this)),
      most_pages_(std::stoull(connection_.pragma("max_page_count")))
{
    rows_.reserve(lane_count);
    for (const auto lane : all_lanes) {
        rows_.emplace_back(connection_, lane);
    }
    sqlite3_wal_hook(connection_.handle(), note_wal_pages, &wal_pages_);
    const auto heads = heads_.read().value_or(std::vector<EpochHeads>());
    const bool fresh = books_.all().empty();
    if (!fresh || !(opening.is_new || opening.is_successor)) {
        compare(heads);
    }
    sqlite::Transaction transaction(connection_);
    if (fresh && opening.carried.empty()) {
        for (const auto& epoch : heads) {
            opening.carried.push_back(from_heads(epoch));
        }
    }
    if (fresh) {
        for (auto& epoch : opening.carried) {
            books_.put(std::move(epoch));
        }
    }
    books_.save();
    const auto lowest = fresh && opening.is_successor ? epochs_of_an_unknown_store : 1;
    current_ = books_.open(opening.epoch, settings_.boot, lowest).number;
    transaction.commit();
    measure_disk();
    if (const auto saved = state(wear_key)) {
        wear_.restore(*saved);
    }
}

Outbox::Database::~Database() = default;

/// The heads beside the database were durable: a store that has less has lost rows.
void Outbox::Database::compare(const std::vector<EpochHeads>& heads)
{
    const auto newest = books_.all().empty() ? std::uint32_t{0} : books_.all().rbegin()->first;
    for (const auto& [id, number, lanes] : heads) {
        const auto* epoch = books_.find(id);
        bool lost = epoch == nullptr && number > newest;
        for (const auto lane : all_lanes) {
            lost = lost || (epoch != nullptr &&
                            epoch->lanes[index_of(lane)].counters.head < lanes[index_of(lane)]);
        }
        if (lost) {
            throw StoreError::damaged("the store has lost rows of epoch " + id.hex() +
                                      " that were durable");
        }
    }
}

void Outbox::Database::recall()
{
    freed_soon_.clear();
    books_known_ = false;
    books_.load();
    books_known_ = true;
}

std::vector<EpochBook> Outbox::Database::abandon()
{
    sqlite3_db_config(connection_.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    std::vector<EpochBook> carried;
    for (const auto& [number, epoch] : books_.all()) {
        EpochBook book{number, epoch.id, epoch.boot, EpochStage::salvaged_to_head, {}};
        if (epoch.stage == EpochStage::salvaged) {
            book.stage = EpochStage::salvaged;
        }
        for (const auto lane : all_lanes) {
            const auto& had = epoch.lanes[index_of(lane)];
            auto& lane_book = book.lanes[index_of(lane)];
            lane_book.freed = had.freed;
            lane_book.received = had.received;
            lane_book.counters.head = had.counters.head;
            lane_book.counters.slots = had.counters.slots;
            add(lane_book.counters, had.freed);
        }
        carried.push_back(std::move(book));
    }
    return books_known_ ? carried : std::vector<EpochBook>();
}

std::vector<EpochState> Outbox::Database::epochs_known() const
{
    std::vector<EpochState> states;
    for (const auto& [number, epoch] : books_.all()) {
        EpochState state{number, epoch.id, epoch.boot, epoch.is_closed(), epoch.is_salvaged(), {}};
        for (const auto lane : all_lanes) {
            const auto& book = epoch.lanes[index_of(lane)];
            auto& counters = state.lanes[index_of(lane)];
            counters = book.counters;
            counters.first_held = book.first_not_received();
        }
        states.push_back(std::move(state));
    }
    return states;
}

StoredBatch Outbox::Database::stored(const EpochBook& epoch, Lane lane, const RowSpan& span,
                                     Bytes bytes) const
{
    return {epoch.number,
            epoch.id,
            lane,
            span.first(),
            span.count,
            span.loss.has_value(),
            std::make_shared<const Bytes>(std::move(bytes))};
}

std::uint64_t Outbox::Database::used_bytes()
{
    auto pages = page_count_.run();
    auto free_pages = free_count_.run();
    pages.next();
    free_pages.next();
    return static_cast<std::uint64_t>(pages.integer(0) - free_pages.integer(0)) * page_bytes_;
}

std::vector<EpochState> Outbox::Database::epochs()
{
    std::vector<EpochState> states;
    for (const auto& [number, epoch] : books_.all()) {
        EpochState state{number, epoch.id, epoch.boot, epoch.is_closed(), epoch.is_salvaged(), {}};
        for (const auto lane : all_lanes) {
            auto& counters = state.lanes[index_of(lane)];
            counters = epoch.lanes[index_of(lane)].counters;
            counters.first_held = first_held(epoch, lane);
        }
        states.push_back(std::move(state));
    }
    return states;
}

void Outbox::Database::forget(const EpochId& id)
{
    const auto* epoch = books_.find(id);
    if (epoch == nullptr || !epoch->is_closed() || epoch->number == current_) {
        return;
    }
    const bool holds_rows = std::ranges::any_of(all_lanes, [&](Lane lane) {
        return first_held(*epoch, lane) <= epoch->lanes[index_of(lane)].counters.head;
    });
    if (holds_rows) {
        return;
    }
    change_rows([&] {
        free_received();
        books_.forget(*epoch);
        return 0;
    });
}

void Outbox::Database::put_dictionary(DictionaryHash hash, const std::string& bytes)
{
    if (dictionary(hash) != bytes) {
        measure_disk();
        put_dictionary_.execute(hash, std::string_view(bytes), dictionary_checksum(hash, bytes));
    }
}

std::optional<std::string> Outbox::Database::dictionary(DictionaryHash hash)
{
    auto found = dictionary_.run(hash);
    if (!found.next() || dictionary_checksum(hash, found.text(0)) != found.number(1)) {
        return std::nullopt;
    }
    return std::string(found.text(0));
}

std::vector<DictionaryHash> Outbox::Database::dictionaries_held()
{
    std::vector<DictionaryHash> held;
    for (const auto& use : books_.dictionary_uses()) {
        const auto* epoch = books_.find(use.epoch_number);
        const auto head = epoch == nullptr ? 0 : epoch->lanes[index_of(use.lane)].counters.head;
        if (epoch != nullptr && first_held(*epoch, use.lane) <= use.last.value_or(head)) {
            held.push_back(use.hash);
        }
    }
    std::ranges::sort(held);
    held.erase(std::unique(held.begin(), held.end()), held.end());
    return held;
}

StoreUse Outbox::Database::use()
{
    wear_.look(last_moment_.clock);
    StoreUse use{.used_bytes = used_bytes(),
                 .budget_bytes = settings_.budget_bytes,
                 .written_bytes = wear_.by_this_process(),
                 .written = wear_.written(),
                 .share_used_percent = shares_used_percent()};
    return use;
}

/// Now and then, within a transaction that there is anyway.
void Outbox::Database::save_wear()
{
    if (last_moment_.boot - wear_saved_ >= wear_interval) {
        wear_saved_ = last_moment_.boot;
        wear_.look(last_moment_.clock);
        set_state(wear_key, wear_.text());
    }
}

void Outbox::Database::set_state(const std::string& key, const std::string& value)
{
    put_state_.execute(state_id(key), std::string_view(key), std::string_view(value),
                       state_checksum(key, value));
}

std::optional<std::string> Outbox::Database::state(const std::string& key)
{
    auto found = state_.run(state_id(key));
    if (!found.next() || state_checksum(key, found.text(0)) != found.number(1)) {
        return std::nullopt;
    }
    return std::string(found.text(0));
}

bool Outbox::Database::checkpoint()
{
    if (wal_pages_ * static_cast<std::int64_t>(page_bytes_) < checkpoint_bytes) {
        return false;
    }
    wal_pages_ = checkpoint_passive(connection_);
    return wal_pages_ > 0;
}

void Outbox::Database::write_heads()
{
    std::vector<EpochHeads> newest_first;
    for (const auto& [number, epoch] : books_.all()) {
        EpochHeads heads{epoch.id, number, {}};
        for (const auto lane : all_lanes) {
            heads.heads[index_of(lane)] = epoch.lanes[index_of(lane)].counters.head;
        }
        newest_first.push_back(heads);
    }
    std::ranges::reverse(newest_first);
    try {
        heads_.write(newest_first);
        heads_fail_ = false;
    } catch (const StoreError& error) {  // the rows do not depend on them
        if (!std::exchange(heads_fail_, true)) {
            events_.push_back({"heads-failed", Severity::warning, error.what(), ""});
        }
    }
}

}  // namespace gateway
