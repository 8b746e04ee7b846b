#include "gateway/store/outbox.hpp"

#include "gateway/store/outbox_database.hpp"
#include "gateway/store/schema.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace gateway {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t checkpoint_bytes = 2 << 20;

/// A new folder is durable only when its parent is synced.
void make_folder(const fs::path& path)
{
    std::error_code error;
    if (!fs::create_directory(path, error)) {
        if (error) {
            throw StoreError(path.string() + ": " + error.message());
        }
        return;
    }
    const auto parent = open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent >= 0) {
        fsync(parent);
        close(parent);
    }
}

const std::string& made(const std::string& directory)
{
    make_folder(directory);
    return directory;
}

/// The store in use is the one with the highest number; others are left as they are.
std::string database_path(const std::string& directory)
{
    const fs::path stores = fs::path(directory) / "store";
    make_folder(stores);
    unsigned highest = 1;
    for (const auto& entry : fs::directory_iterator(stores)) {
        const auto name = entry.path().filename().string();
        if (!name.empty() && name.size() < 7 &&
            name.find_first_not_of("0123456789") == std::string::npos) {
            highest = std::max(highest, static_cast<unsigned>(std::stoul(name)));
        }
    }
    const auto store = stores / std::to_string(highest);
    make_folder(store);
    return (store / "outbox.db").string();
}

int note_wal_pages(void* pages, sqlite3* /*database*/, const char* /*schema*/, int count)
{
    *static_cast<std::int64_t*>(pages) = count;
    return SQLITE_OK;
}

}  // namespace

Outbox::Database::Database(OutboxSettings settings)
    : settings_(std::move(settings)),
      lock_(made(settings_.directory)),
      connection_(open_outbox_file(database_path(settings_.directory), settings_.budget_bytes)),
      books_(connection_),
      put_dictionary_(connection_, "INSERT OR IGNORE INTO dictionary(hash, bytes) VALUES (?, ?)"),
      dictionary_(connection_, "SELECT bytes FROM dictionary WHERE hash = ?"),
      put_state_(connection_, "INSERT OR REPLACE INTO state(key, value) VALUES (?, ?)"),
      state_(connection_, "SELECT value FROM state WHERE key = ?"),
      page_count_(connection_, "PRAGMA page_count"),
      free_count_(connection_, "PRAGMA freelist_count"),
      heads_(settings_.directory + "/heads"),
      page_bytes_(std::stoull(connection_.pragma("page_size")))
{
    rows_.reserve(lane_count);
    for (const auto lane : all_lanes) {
        rows_.emplace_back(connection_, lane);
    }
    sqlite3_wal_hook(connection_.handle(), note_wal_pages, &wal_pages_);
    sqlite::Transaction transaction(connection_);
    current_ = books_.open(EpochId::random(), settings_.boot).number;
    transaction.commit();
}

void Outbox::Database::recall()
{
    freed_soon_.clear();
    books_.load();
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
        EpochState state{number, epoch.id, epoch.boot, epoch.closed, {}};
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
    if (epoch == nullptr || !epoch->closed || epoch->number == current_) {
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
    put_dictionary_.execute(hash, std::string_view(bytes));
}

std::optional<std::string> Outbox::Database::dictionary(DictionaryHash hash)
{
    auto rows_found = dictionary_.run(hash);
    return rows_found.next() ? std::optional(std::string(rows_found.text(0))) : std::nullopt;
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
    StoreUse use{used_bytes(), settings_.budget_bytes, 0, 0};
    std::ifstream io("/proc/self/io");
    for (std::string key; io >> key >> use.written_bytes;) {
        if (key == "write_bytes:") {
            break;
        }
    }
    struct statvfs disk {};
    if (statvfs(settings_.directory.c_str(), &disk) == 0) {
        use.free_bytes = std::uint64_t{disk.f_bavail} * disk.f_frsize;
    }
    return use;
}

void Outbox::Database::set_state(const std::string& key, const std::string& value)
{
    put_state_.execute(std::string_view(key), std::string_view(value));
}

std::optional<std::string> Outbox::Database::state(const std::string& key)
{
    auto rows_found = state_.run(std::string_view(key));
    return rows_found.next() ? std::optional(std::string(rows_found.text(0))) : std::nullopt;
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
    heads_.write(newest_first);
}

Outbox::Outbox(OutboxSettings settings) : database_(std::make_unique<Database>(std::move(settings)))
{
}
Outbox::~Outbox() = default;

const EpochId& Outbox::epoch() const
{
    return database_->current().id;
}
std::uint32_t Outbox::epoch_number() const
{
    return database_->current().number;
}
std::vector<StoredBatch> Outbox::announce_epochs(Moment now)
{
    return database_->announce_epochs(now);
}
std::vector<StoredBatch> Outbox::commit(Commit commit)
{
    return database_->commit(epoch_number(), commit);
}
std::vector<StoredBatch> Outbox::commit_to(std::uint32_t epoch_number, Commit commit)
{
    return database_->commit(epoch_number, commit);
}
void Outbox::put_dictionary(DictionaryHash hash, const std::string& bytes)
{
    database_->put_dictionary(hash, bytes);
}
std::optional<std::string> Outbox::dictionary(DictionaryHash hash)
{
    return database_->dictionary(hash);
}
std::vector<DictionaryHash> Outbox::dictionaries_held()
{
    return database_->dictionaries_held();
}
std::vector<StoredBatch> Outbox::read(Lane lane, std::uint32_t epoch_number, std::uint64_t after,
                                      std::size_t most_bytes)
{
    return database_->read(lane, epoch_number, after, most_bytes);
}
Outbox::ReceiptOutcome Outbox::apply_receipt(const EpochId& epoch, Lane lane,
                                             const std::vector<Range>& ranges)
{
    return database_->apply_receipt(epoch, lane, ranges);
}
RangeSet Outbox::received(std::uint32_t epoch_number, Lane lane)
{
    return database_->received(epoch_number, lane);
}
std::optional<StoredBatch> Outbox::declare_lost(std::uint32_t epoch_number, Lane lane,
                                                std::uint64_t first, LossReason reason)
{
    return database_->declare_lost(epoch_number, lane, first, reason);
}
std::vector<StoredBatch> Outbox::split(std::uint32_t epoch_number, Lane lane, std::uint64_t first,
                                       std::size_t most_bytes)
{
    return database_->split(epoch_number, lane, first, most_bytes);
}
std::vector<EpochState> Outbox::epochs()
{
    return database_->epochs();
}
void Outbox::forget(const EpochId& epoch)
{
    database_->forget(epoch);
}
StoreUse Outbox::use()
{
    return database_->use();
}
void Outbox::set_state(const std::string& key, const std::string& value)
{
    database_->set_state(key, value);
}
std::optional<std::string> Outbox::state(const std::string& key)
{
    return database_->state(key);
}
bool Outbox::checkpoint()
{
    return database_->checkpoint();
}
void Outbox::write_heads()
{
    database_->write_heads();
}
void Outbox::close_epoch(std::optional<Moment> now)
{
    database_->close_epoch(now);
}
std::vector<Event> Outbox::take_events()
{
    return database_->take_events();
}

}  // namespace gateway
