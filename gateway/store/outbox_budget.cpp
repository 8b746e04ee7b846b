// How much may be stored, and what goes when that is not enough.
#include "gateway/store/losses.hpp"
#include "gateway/store/outbox_database.hpp"
#include "gateway/store/schema.hpp"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>

namespace gateway {

namespace {

/// Who goes first. Alarm and control never go.
constexpr std::array sacrifice{Lane::diagnostic, Lane::telemetry, Lane::billing};
/// For a row, at most so many times its size is made free: a store far above its limit, as after
/// the budget was lowered, comes down row by row, and no commit waits for all of it.
constexpr std::uint64_t most_room = 2;
/// The store is told to be full once, until nothing had to go for so long.
constexpr auto evicts_no_more = std::chrono::minutes(1);

constexpr std::size_t rank_of(Lane lane)
{
    const auto* const at = std::ranges::find(sacrifice, lane);
    return static_cast<std::size_t>(at - sacrifice.begin());
}

std::uint64_t share_of(Lane lane, std::uint64_t limit, const OutboxSettings& settings)
{
    return limit / 100 * settings.share_percent[index_of(lane)];
}

}  // namespace

/// Of a budget for the whole folder, what rows may have: WAL and headroom (schema.cpp) are in it.
std::uint64_t rows_budget(std::uint64_t budget_bytes)
{
    constexpr std::uint64_t beside_rows = 10 << 20;
    constexpr std::uint64_t smallest = 16 << 20;  ///< below, as tests have it, only rows count
    return budget_bytes < smallest ? budget_bytes : budget_bytes - beside_rows;
}

/// What the disk has to give. The file must not outgrow it: pages that are in the WAL and find no
/// place in the file would block the WAL for good.
void Outbox::Database::measure_disk()
{
    struct stat file {};
    struct statvfs disk {};
    if (stat(folders_.database(number_).c_str(), &file) != 0 ||
        statvfs(settings_.directory.c_str(), &disk) != 0) {
        return;
    }
    file_bytes_ = static_cast<std::uint64_t>(file.st_size);
    free_bytes_ = std::uint64_t{disk.f_bavail} * disk.f_frsize;
    const auto pages = std::min(most_pages_, (file_bytes_ + free_bytes_) / page_bytes_);
    if (pages != std::exchange(pages_allowed_, pages)) {
        connection_.execute("PRAGMA max_page_count = " + std::to_string(pages));
    }
}

std::uint64_t Outbox::Database::limit_bytes(bool is_urgent) const
{
    const auto floor = is_urgent ? 0 : settings_.free_floor_bytes;
    const auto room = free_bytes_ > floor ? free_bytes_ - floor : 0;
    // The reserve is not subject to the floor: a store that began on a full disk has it later.
    const auto reserve = std::min<std::uint64_t>(reserve_bytes, file_bytes_ + free_bytes_);
    return std::min(rows_budget(settings_.budget_bytes), std::max(file_bytes_ + room, reserve));
}

std::uint64_t Outbox::Database::lane_bytes(Lane lane) const
{
    std::uint64_t total = 0;
    for (const auto& [number, epoch] : books_.all()) {
        total += epoch.lanes[index_of(lane)].bytes;
    }
    return total;
}

PerLane<unsigned> Outbox::Database::shares_used_percent() const
{
    PerLane<unsigned> used{};
    const auto limit = limit_bytes(false);
    for (const auto lane : sacrifice) {
        const auto share = std::max<std::uint64_t>(share_of(lane, limit, settings_), 1);
        used[index_of(lane)] = static_cast<unsigned>(lane_bytes(lane) * 100 / share);
    }
    return used;
}

/// The lane that gives way to `size` more bytes of `incoming`: the first over its share, else the
/// first that is not above the incoming one.
std::optional<Lane> Outbox::Database::victim(Lane incoming, std::uint64_t size, std::uint64_t limit)
{
    const auto has_readings = [&](Lane lane) {
        return lane == incoming || rows(lane).readings_after(-1).has_value();
    };
    for (const auto lane : sacrifice) {
        const auto share = share_of(lane, limit, settings_);
        const auto bytes = lane_bytes(lane) + (lane == incoming ? size : 0);
        if (bytes > share && has_readings(lane)) {
            return lane;
        }
    }
    for (const auto lane : sacrifice) {
        if (rank_of(lane) <= rank_of(incoming) && has_readings(lane)) {
            return lane;
        }
    }
    return std::nullopt;
}

/// Which row of a lane goes by its policy; nothing when it holds no readings.
std::optional<std::int64_t> Outbox::Database::row_to_drop(Lane lane)
{
    auto& table = rows(lane);
    switch (settings_.policy[index_of(lane)]) {
        case Policy::drop_oldest:
        case Policy::thin:  // what the intake keeps all the same
            return table.readings_after(-1);
        case Policy::drop_newest:
            return table.newest_readings();
    }
    return std::nullopt;
}

void Outbox::Database::note_eviction(Lane lane)
{
    if (!std::exchange(evicted_at_, last_moment_.boot)) {
        events_.push_back({"store-full", Severity::error,
                           "The store may take no more: readings of lane " +
                               std::string(to_string(lane)) + " are being declared lost",
                           ""});
    }
}

/// Declares one row of a lane lost: how many bytes it had; 0 when the lane has none.
std::uint64_t Outbox::Database::evict(Lane lane)
{
    const auto id = row_to_drop(lane);
    const auto row = id ? rows(lane).find(*id) : std::nullopt;
    auto* epoch = row ? books_.find(epoch_of(row->span.id)) : nullptr;
    if (epoch == nullptr) {
        return 0;
    }
    bury(*epoch, lane, *row, LossReason::evicted);
    note_eviction(lane);
    return row->span.size_bytes;
}

bool Outbox::Database::evict_for_urgent()
{
    return std::ranges::any_of(sacrifice, [&](Lane lane) { return evict(lane) > 0; });
}

/// Makes room for a row; why it must not be stored, or nothing.
std::optional<LossReason> Outbox::Database::admit(Lane lane, std::uint64_t size)
{
    const bool is_urgent = rank_of(lane) == sacrifice.size();
    const auto limit = limit_bytes(is_urgent);
    for (std::uint64_t room = 0; room < most_room * size && used_bytes() + size > limit;) {
        const auto loser = victim(lane, size, limit);
        const bool own = !loser || *loser == lane;
        if (own && is_urgent) {
            return std::nullopt;  // as far as the file goes
        }
        if (own && (!loser || settings_.policy[index_of(lane)] == Policy::drop_newest)) {
            note_eviction(lane);
            return LossReason::refused_by_policy;
        }
        const auto freed = evict(*loser);
        if (freed == 0) {
            note_eviction(lane);
            return LossReason::evicted;
        }
        room += freed;
    }
    if (evicted_at_ && last_moment_.boot - *evicted_at_ >= evicts_no_more) {
        evicted_at_.reset();
    }
    return std::nullopt;
}

/// Readings that are not admitted take their sequences as a tombstone.
void Outbox::Database::put_refused(EpochBook& epoch, const PendingBatch& about, Tombstone lost,
                                   std::uint64_t first, std::vector<StoredBatch>& stored_rows)
{
    const RowSpan span{row_id(epoch.number, first), lost.count, lost.reason, 0};
    books_.lose(epoch, about.lane, lost.count);
    stored_rows.push_back(
        put_loss(epoch, about.lane, span, {about.opened, about.clock}, std::move(lost)));
}

}  // namespace gateway
