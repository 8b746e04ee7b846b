// How a store is opened, and what becomes of one that fails.
#include "gateway/store/outbox_state.hpp"

#include "gateway/core/defect.hpp"
#include "gateway/store/store_image.hpp"

#include <sys/statvfs.h>

#include <algorithm>
#include <utility>

namespace gateway {

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

}  // namespace gateway
