#include "gateway/store/outbox.hpp"

#include "gateway/core/defect.hpp"
#include "gateway/store/outbox_database.hpp"
#include "gateway/store/store_folders.hpp"
#include "gateway/store/store_image.hpp"
#include "gateway/store/store_lock.hpp"

#include <sys/statvfs.h>

#include <algorithm>

namespace gateway {

/// The store in use, if one can be used, and how another takes its place.
class Outbox::State {
public:
    explicit State(OutboxSettings settings)
        : settings_(std::move(settings)), folders_(settings_.directory)
    {
        open();
    }

    bool open();
    bool is_usable() const { return database_ != nullptr; }
    const EpochId& epoch() const { return database_ ? database_->current().id : next_epoch_; }
    std::uint32_t epoch_number() const { return database_ ? database_->current().number : 0; }
    std::vector<EpochState> epochs();
    StoreUse use();
    std::vector<Event> take_events();
    PerLane<std::uint64_t> lost() const;

    /// Throws StoreError when the store cannot be used, or fails in this.
    template <typename Use>
    auto need(Use use)
    {
        if (!database_) {
            throw StoreError::unavailable("the store cannot be used");
        }
        try {
            return use(*database_);
        } catch (const StoreError& error) {
            note(error);
            throw;
        }
    }
    /// Nothing when the store cannot be used, fails in this, or is full.
    template <typename Use>
    auto ask(Use use)
    {
        using Answer = decltype(use(*database_));
        if (!database_) {
            return Answer();
        }
        try {
            return use(*database_);
        } catch (const StoreError& error) {
            note(error);
            if (!error.ends_use() && !error.is_no_space()) {
                throw;
            }
        }
        return Answer();
    }

private:
    /// Set aside and in use; beyond, no further one is begun.
    static constexpr std::size_t most_stores = 8;

    bool open_store(unsigned number, bool is_new, bool is_successor);
    void note(const StoreError& error);
    void tell(const char* code, Severity severity, const std::string& text)
    {
        events_.push_back({code, severity, text, ""});
    }

    OutboxSettings settings_;
    StoreFolders folders_;
    std::optional<StoreLock> lock_;
    bool is_same_boot_ = false;  ///< as when the store had its last owner
    Wear wear_{settings_.directory};
    std::unique_ptr<Database> database_;
    EpochId next_epoch_ = EpochId::random();
    unsigned number_ = 0;     ///< of the store in use, or used last
    unsigned condemned_ = 0;  ///< the highest that failed or is damaged
    unsigned half_made_ = 0;  // could not be completed when it was new
    std::vector<EpochBook> carried_;
    std::vector<EpochState> known_;
    std::vector<Event> events_;
    PerLane<std::uint64_t> lost_{};  ///< declared so in stores that failed since
    std::string told_;               ///< why the store cannot be opened
};

bool Outbox::State::open()
{
    if (database_) {
        return true;
    }
    try {
        if (!lock_) {
            folders_ = StoreFolders(settings_.directory);
            lock_.emplace(settings_.directory);
            is_same_boot_ = lock_->previous_note() == settings_.boot.hex();
        }
        const auto stores = folders_.all();
        if (!stores) {
            throw StoreError::unavailable(settings_.directory + "/store cannot be listed");
        }
        auto number = stores->empty() ? 1 : stores->back();
        while (!open_store(number, !std::ranges::binary_search(*stores, number), number > 1)) {
            ++number;
            if (stores->size() >= most_stores) {
                throw StoreError::unavailable("too many damaged stores wait for their salvage");
            }
        }
    } catch (const StoreError& error) {
        if (error.code() == 0) {
            throw;  // another process is its owner
        }
        if (std::exchange(told_, error.what()) != error.what()) {
            tell("store-unusable", Severity::error,
                 "No store can be opened; readings are kept in memory: " + told_);
        }
        return false;
    }
    told_.clear();
    next_epoch_ = EpochId::random();
    carried_.clear();
    known_.clear();
    return true;
}

/// False when it is to be left where it lies and the next number taken.
bool Outbox::State::open_store(unsigned number, bool is_new, bool is_successor)
{
    const auto path = folders_.database(number);
    if (number <= condemned_) {
        return false;
    }
    if (number == half_made_) {
        folders_.remove(number);
        is_new = true;
    }
    const auto seen = is_new ? StoreLook{true, {}} : look_at_store(path);
    if (!seen.can_be_read) {
        tell("store-newer", Severity::warning,
             path + " was written by a newer version; it is left as it is and a new store begun");
        condemned_ = number;
        return false;
    }
    try {
        // Within one boot nothing is torn but the frame that a kill found half written.
        if (seen.wal_tail.was_durable || (seen.wal_tail.has_commit && is_same_boot_)) {
            throw StoreError::damaged("commits that were durable are cut off in its WAL");
        }
        folders_.make(number);
        const Database::Opening opening{next_epoch_, carried_, is_new, is_successor,
                                        seen.wal_tail.has_frames};
        database_ = std::make_unique<Database>(settings_, folders_, number, wear_, opening);
        number_ = number;
        database_->write_heads();
        lock_->leave(settings_.boot.hex());
        half_made_ = 0;
        return true;
    } catch (const StoreError& error) {
        database_.reset();
        if (is_new) {
            half_made_ = number;  // it may fail to go, too
            folders_.remove(number);
        }
        if (is_new || !(error.condemns() || error.is_other_schema())) {
            throw;
        }
        condemned_ = number;
        tell("store-damaged", Severity::error,
             path + " is damaged and set aside; what it holds is being salvaged: " + error.what());
        return false;
    }
}

/// A store that failed is closed at once: what a failed sync left behind is not synced again.
void Outbox::State::note(const StoreError& error)
{
    if (!error.ends_use() || !database_ || planted(Defect::sync_tried_again)) {
        return;
    }
    known_ = database_->epochs_known();
    for (auto& event : database_->take_events()) {
        events_.push_back(std::move(event));
    }
    lost_ = lost();
    auto epochs = database_->abandon();
    database_.reset();
    is_same_boot_ = false;  // what could not be written may be torn
    lock_->leave({});
    if (error.condemns()) {
        condemned_ = number_;
        carried_ = std::move(epochs);
    }
    tell("store-failed", Severity::error,
         "The store failed; readings are kept in memory until one can be used: " +
             std::string(error.what()));
}

std::vector<EpochState> Outbox::State::epochs()
{
    auto states = ask([](Database& store) { return store.epochs(); });
    return database_ ? states : known_;
}

StoreUse Outbox::State::use()
{
    auto use = ask([](Database& store) { return store.use(); });
    use.usable = is_usable();
    use.budget_bytes = settings_.budget_bytes;
    struct statvfs disk {};
    if (statvfs(settings_.directory.c_str(), &disk) == 0) {
        use.free_bytes = std::uint64_t{disk.f_bavail} * disk.f_frsize;
    }
    use.written = wear_.written();
    use.declared_lost = lost();
    return use;
}

PerLane<std::uint64_t> Outbox::State::lost() const
{
    auto lost = lost_;
    for (std::size_t lane = 0; database_ && lane < lost.size(); ++lane) {
        lost[lane] += database_->declared_lost()[lane];
    }
    return lost;
}

std::vector<Event> Outbox::State::take_events()
{
    auto events = std::exchange(events_, {});
    if (database_) {
        for (auto& event : database_->take_events()) {
            events.push_back(std::move(event));
        }
    }
    return events;
}

Outbox::Outbox(OutboxSettings settings) : state_(std::make_unique<State>(std::move(settings))) {}
Outbox::~Outbox() = default;

bool Outbox::open()
{
    return state_->open();
}
bool Outbox::is_usable() const
{
    return state_->is_usable();
}
const EpochId& Outbox::epoch() const
{
    return state_->epoch();
}
std::uint32_t Outbox::epoch_number() const
{
    return state_->epoch_number();
}
std::vector<StoredBatch> Outbox::announce_epochs(Moment now)
{
    return state_->need([&](Database& store) { return store.announce_epochs(now); });
}
std::vector<StoredBatch> Outbox::commit(const Commit& commit)
{
    return commit_to(epoch_number(), commit);
}
std::vector<StoredBatch> Outbox::commit_to(std::uint32_t epoch_number, const Commit& commit)
{
    return state_->need([&](Database& store) { return store.commit(epoch_number, commit); });
}
void Outbox::put_dictionary(DictionaryHash hash, const std::string& bytes)
{
    state_->need([&](Database& store) { store.put_dictionary(hash, bytes); });
}
std::optional<std::string> Outbox::dictionary(DictionaryHash hash)
{
    return state_->ask([&](Database& store) { return store.dictionary(hash); });
}
std::vector<DictionaryHash> Outbox::dictionaries_held()
{
    return state_->ask([](Database& store) { return store.dictionaries_held(); });
}
std::vector<StoredBatch> Outbox::read(Lane lane, std::uint32_t epoch_number, std::uint64_t after,
                                      std::size_t most_bytes)
{
    return state_->ask(
        [&](Database& store) { return store.read(lane, epoch_number, after, most_bytes); });
}
Outbox::ReceiptOutcome Outbox::apply_receipt(const EpochId& epoch, Lane lane,
                                             const std::vector<Range>& ranges)
{
    return state_->ask([&](Database& store) { return store.apply_receipt(epoch, lane, ranges); });
}
void Outbox::note_told(const EpochId& epoch, Lane lane, Range range)
{
    state_->ask([&](Database& store) { store.note_told(epoch, lane, range); });
}
RangeSet Outbox::received(std::uint32_t epoch_number, Lane lane)
{
    return state_->ask([&](Database& store) { return store.received(epoch_number, lane); });
}
std::optional<StoredBatch> Outbox::declare_lost(std::uint32_t epoch_number, Lane lane,
                                                std::uint64_t first, LossReason reason)
{
    return state_->ask(
        [&](Database& store) { return store.declare_lost(epoch_number, lane, first, reason); });
}
std::vector<StoredBatch> Outbox::split(std::uint32_t epoch_number, Lane lane, std::uint64_t first,
                                       std::size_t most_bytes)
{
    return state_->ask(
        [&](Database& store) { return store.split(epoch_number, lane, first, most_bytes); });
}
std::vector<EpochState> Outbox::epochs()
{
    return state_->epochs();
}
void Outbox::forget(const EpochId& epoch)
{
    state_->ask([&](Database& store) { store.forget(epoch); });
}
StoreUse Outbox::use()
{
    return state_->use();
}
void Outbox::set_state(const std::string& key, const std::string& value)
{
    state_->ask([&](Database& store) { store.set_state(key, value); });
}
std::optional<std::string> Outbox::state(const std::string& key)
{
    return state_->ask([&](Database& store) { return store.state(key); });
}
bool Outbox::checkpoint()
{
    return state_->ask([](Database& store) { return store.checkpoint(); });
}
bool Outbox::keep_for_salvage(const SpooledBatch& spooled)
{
    return state_->ask([&](Database& store) { return store.keep_for_salvage(spooled); });
}
SalvageStep Outbox::salvage()
{
    return state_->ask([](Database& store) { return store.salvage(); });
}
void Outbox::write_heads()
{
    state_->ask([](Database& store) { store.write_heads(); });
}
void Outbox::close_epoch(std::optional<Moment> now)
{
    state_->ask([&](Database& store) { store.close_epoch(now); });
}
std::vector<Event> Outbox::take_events()
{
    return state_->take_events();
}

}  // namespace gateway
