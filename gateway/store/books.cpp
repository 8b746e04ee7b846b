#include "gateway/store/books.hpp"

#include "gateway/store/lane_rows.hpp"
#include "gateway/store/tally.hpp"

#include <algorithm>

namespace gateway {

namespace {

Id128 id_from(ByteView bytes)
{
    Id128 id;
    std::copy_n(bytes.begin(), std::min(bytes.size(), id.bytes.size()), id.bytes.begin());
    return id;
}

/// Where the reference of `device` is, or would be.
auto place_of(std::vector<DictionaryRef>& references, std::uint16_t device)
{
    return std::lower_bound(
        references.begin(), references.end(), device,
        [](const DictionaryRef& held, std::uint16_t wanted) { return held.device < wanted; });
}

}  // namespace

Books::Books(sqlite::Connection& connection)
    : connection_(connection),
      save_(connection,
            "INSERT OR REPLACE INTO counters(epoch, lane, head, count, sum, tombstoned, queued,"
            " bytes, tally, slots, received) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      use_(connection,
           "INSERT OR REPLACE INTO dictionary_use(epoch, lane, device, first, hash)"
           " VALUES (?, ?, ?, ?, ?)"),
      end_use_(connection,
               "UPDATE dictionary_use SET last = ?"
               " WHERE epoch = ? AND lane = ? AND device = ? AND last IS NULL")
{
    load();
}

void Books::load()
{
    epochs_.clear();
    sqlite::Statement epochs(connection_, "SELECT number, id, boot, closed FROM epoch");
    for (auto row = epochs.run(); row.next();) {
        auto& epoch = epochs_[static_cast<std::uint32_t>(row.integer(0))];
        epoch.number = static_cast<std::uint32_t>(row.integer(0));
        epoch.id = id_from(row.blob(1));
        epoch.boot = id_from(row.blob(2));
        epoch.closed = row.integer(3) != 0;
    }
    sqlite::Statement counters(
        connection_,
        "SELECT epoch, lane, head, count, sum, tombstoned, queued, bytes, tally,"
        " slots, received FROM counters");
    for (auto row = counters.run(); row.next();) {
        auto* epoch = find(static_cast<std::uint32_t>(row.integer(0)));
        if (epoch == nullptr || row.number(1) >= lane_count) {
            continue;
        }
        auto& lane = epoch->lanes[row.number(1)];
        lane.counters.head = row.number(2);
        lane.counters.count = row.number(3);
        lane.counters.sum = row.number(4);
        lane.counters.tombstoned = row.number(5);
        lane.counters.queued = row.number(6);
        lane.bytes = row.number(7);
        unpack_tally(row.blob(8), lane.counters.quality, lane.counters.cause);
        lane.counters.slots = unpack_slots(row.blob(9));
        lane.received = unpack_ranges(row.blob(10));
    }
    for (const auto& use : dictionary_uses()) {
        auto* epoch = find(use.epoch_number);
        if (epoch != nullptr && !use.last) {
            epoch->lanes[index_of(use.lane)].dictionaries.push_back({use.device, use.hash});
        }
    }
}

void Books::save()
{
    for (auto& [number, epoch] : epochs_) {
        for (const auto lane : all_lanes) {
            auto& book = epoch.lanes[index_of(lane)];
            if (!book.changed) {
                continue;
            }
            const auto& counters = book.counters;
            const auto tally = pack_tally(counters.quality, counters.cause);
            const auto slots = pack_slots(counters.slots);
            const auto received = pack_ranges(book.received);
            save_.execute(number, index_of(lane), counters.head, counters.count, counters.sum,
                          counters.tombstoned, counters.queued, book.bytes, ByteView(tally),
                          ByteView(slots), ByteView(received));
            book.changed = false;
        }
    }
}

EpochBook& Books::open(const EpochId& id, const BootId& boot)
{
    const auto number = epochs_.empty() ? 1 : epochs_.rbegin()->first + 1;
    sqlite::Statement(connection_,
                      "INSERT INTO epoch(number, id, boot, closed) VALUES (?, ?, ?, 0)")
        .execute(number, ByteView(id.bytes), ByteView(boot.bytes));
    return epochs_[number] = {number, id, boot, false, {}};
}

void Books::close(EpochBook& epoch)
{
    sqlite::Statement(connection_, "UPDATE epoch SET closed = 1 WHERE number = ?")
        .execute(epoch.number);
    epoch.closed = true;
}

void Books::forget(const EpochBook& epoch)
{
    const auto number = epoch.number;
    for (const auto* table : {"counters", "dictionary_use"}) {
        sqlite::Statement(connection_, std::string("DELETE FROM ") + table + " WHERE epoch = ?")
            .execute(number);
    }
    sqlite::Statement(connection_, "DELETE FROM epoch WHERE number = ?").execute(number);
    epochs_.erase(number);
}

EpochBook* Books::find(std::uint32_t number)
{
    const auto at = epochs_.find(number);
    return at == epochs_.end() ? nullptr : &at->second;
}

EpochBook* Books::find(const EpochId& id)
{
    const auto at = std::ranges::find_if(epochs_, [&](const auto& e) { return e.second.id == id; });
    return at == epochs_.end() ? nullptr : &at->second;
}

void Books::use_dictionaries(EpochBook& epoch, Lane lane, std::uint64_t first,
                             const std::vector<DictionaryRef>& named)
{
    auto& held = epoch.lanes[index_of(lane)].dictionaries;
    for (const auto& reference : named) {
        const auto at = place_of(held, reference.device);
        const bool known = at != held.end() && at->device == reference.device;
        if (known && at->hash == reference.hash) {
            continue;
        }
        if (known) {
            end_use_.execute(first - 1, epoch.number, index_of(lane), reference.device);
            *at = reference;
        } else {
            held.insert(at, reference);
        }
        use_.execute(epoch.number, index_of(lane), reference.device, first, reference.hash);
    }
}

std::vector<Books::DictionaryUse> Books::dictionary_uses()
{
    std::vector<DictionaryUse> uses;
    sqlite::Statement select(connection_,
                             "SELECT epoch, lane, device, first, last, hash FROM dictionary_use");
    for (auto row = select.run(); row.next();) {
        DictionaryUse use{static_cast<std::uint32_t>(row.integer(0)),
                          Lane::telemetry,
                          static_cast<std::uint16_t>(row.integer(2)),
                          row.number(5),
                          row.number(3),
                          std::nullopt};
        if (row.number(1) >= lane_count) {
            continue;
        }
        use.lane = all_lanes[row.number(1)];
        if (!row.is_null(4)) {
            use.last = row.number(4);
        }
        uses.push_back(use);
    }
    return uses;
}

}  // namespace gateway
