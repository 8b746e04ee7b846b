#pragma once

#include "gateway/store/outbox.hpp"
#include "gateway/store/outbox_database.hpp"
#include "gateway/store/store_folders.hpp"
#include "gateway/store/store_lock.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

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

}  // namespace gateway
