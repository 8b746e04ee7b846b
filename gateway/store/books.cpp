#include "gateway/store/books.hpp"

#include "gateway/store/lane_rows.hpp"
#include "gateway/store/numbers.hpp"

#include <algorithm>

namespace gateway {

namespace {

Id128 id_from(ByteView bytes)
{
    Id128 id;
    std::copy_n(bytes.begin(), std::min(bytes.size(), id.bytes.size()), id.bytes.begin());
    return id;
}

void check(bool intact, const char* table)
{
    if (!intact) {
        throw StoreError::damaged(std::string("a row of table ") + table +
                                  " does not match its checksum");
    }
}

void put_tally(Numbers& numbers, const Tally& tally)
{
    numbers.put(tally.count).put(tally.sum).put(tally.tombstoned);
    numbers.put(tally.quality).put(tally.cause);
}

Tally next_tally(NumberReader& reader)
{
    Tally tally;
    tally.count = reader.next();
    tally.sum = reader.next();
    tally.tombstoned = reader.next();
    tally.quality = reader.counts<Quality>();
    tally.cause = reader.counts<Cause>();
    return tally;
}

std::uint32_t checksum(const EpochBook& epoch)
{
    return row_checksum({epoch.number, static_cast<std::uint64_t>(epoch.stage)}, epoch.id.bytes,
                        epoch.boot.bytes);
}

std::uint32_t checksum(const Books::DictionaryUse& use)
{
    return row_checksum({use.epoch_number, index_of(use.lane), use.device, use.hash, use.first,
                         use.last ? *use.last : ~std::uint64_t{0}});
}

/// Where the dictionary of `device` is, or would be.
auto place_of(std::vector<LaneBook::DictionaryInUse>& held, std::uint16_t device)
{
    return std::ranges::lower_bound(held, device, {}, &LaneBook::DictionaryInUse::device);
}

}  // namespace

std::uint64_t LaneBook::first_not_received() const
{
    const auto holes = received.holes({1, counters.head + 1});
    return holes.empty() ? counters.head + 1 : holes.front().first;
}

Bytes pack_book(const LaneBook& book)
{
    const auto& counters = book.counters;
    Numbers numbers;
    numbers.put(counters.head).put(counters.queued).put(book.bytes);
    put_tally(numbers, counters);
    put_tally(numbers, book.freed);
    const auto& slots = counters.slots;
    numbers.put(slots.expected).put(slots.good).put(slots.other).put(slots.suppressed);
    numbers.put(slots.missed);
    for (const auto& range : book.received.ranges()) {
        numbers.put(range.first).put(range.last);
    }
    return numbers.take();
}

LaneBook unpack_book(ByteView bytes)
{
    NumberReader reader(bytes);
    LaneBook book;
    auto& counters = book.counters;
    counters.head = reader.next();
    counters.queued = reader.next();
    book.bytes = reader.next();
    add(counters, next_tally(reader));
    book.freed = next_tally(reader);
    auto& slots = counters.slots;
    slots.expected = reader.next();
    slots.good = reader.next();
    slots.other = reader.next();
    slots.suppressed = reader.next();
    slots.missed = reader.counts<Cause>();
    while (!reader.at_end()) {
        const auto first = reader.next();
        book.received.add({first, reader.next()});
    }
    return book;
}

Books::Books(sqlite::Connection& connection)
    : connection_(connection),
      put_epoch_(connection,
                 "INSERT OR REPLACE INTO epoch(number, id, boot, stage, crc)"
                 " VALUES (?, ?, ?, ?, ?)"),
      save_(connection, "INSERT OR REPLACE INTO counters(id, book, crc) VALUES (?, ?, ?)"),
      use_(connection,
           "INSERT OR REPLACE INTO dictionary_use(epoch, lane, device, first, last, hash, crc)"
           " VALUES (?, ?, ?, ?, ?, ?, ?)")
{
    load();
}

void Books::load()
{
    epochs_.clear();
    lost_ = saved_lost_;
    sqlite::Statement epochs(connection_, "SELECT number, id, boot, stage, crc FROM epoch");
    for (auto row = epochs.run(); row.next();) {
        EpochBook epoch{static_cast<std::uint32_t>(row.integer(0)),
                        id_from(row.blob(1)),
                        id_from(row.blob(2)),
                        static_cast<EpochStage>(row.integer(3)),
                        {}};
        check(checksum(epoch) == row.number(4), "epoch");
        epochs_[epoch.number] = std::move(epoch);
    }
    sqlite::Statement counters(connection_, "SELECT id, book, crc FROM counters");
    for (auto row = counters.run(); row.next();) {
        const auto id = row.number(0);
        auto* epoch = find(static_cast<std::uint32_t>(id / lane_key_base));
        check(epoch != nullptr && id % lane_key_base < lane_count &&
                  row_checksum({id}, row.blob(1)) == row.number(2),
              "counters");
        epoch->lanes[id % lane_key_base] = unpack_book(row.blob(1));
    }
    for (const auto& use : dictionary_uses()) {
        auto* epoch = find(use.epoch_number);
        if (epoch != nullptr && !use.last) {
            epoch->lanes[index_of(use.lane)].dictionaries.push_back(
                {use.device, use.hash, use.first});
        }
    }
}

void Books::save()
{
    saved_lost_ = lost_;
    for (auto& [number, epoch] : epochs_) {
        for (const auto lane : all_lanes) {
            auto& book = epoch.lanes[index_of(lane)];
            if (!book.changed) {
                continue;
            }
            const auto id = lane_key(number, lane);
            const auto packed = pack_book(book);
            save_.execute(id, ByteView(packed), row_checksum({id}, packed));
            book.changed = false;
        }
    }
}

EpochBook& Books::open(const EpochId& id, const BootId& boot, std::uint32_t lowest_number)
{
    const auto number = epochs_.empty() ? lowest_number : epochs_.rbegin()->first + 1;
    return put({number, id, boot, EpochStage::open, {}});
}

EpochBook& Books::put(EpochBook epoch)
{
    set_stage(epoch, epoch.stage);
    for (auto& lane : epoch.lanes) {
        lane.changed = lane.changed || lane.counters.head > 0;
    }
    return epochs_[epoch.number] = std::move(epoch);
}

void Books::set_stage(EpochBook& epoch, EpochStage stage)
{
    epoch.stage = stage;
    put_epoch_.execute(epoch.number, ByteView(epoch.id.bytes), ByteView(epoch.boot.bytes),
                       static_cast<unsigned>(stage), checksum(epoch));
}

void Books::forget(const EpochBook& epoch)
{
    const auto number = epoch.number;
    sqlite::Statement(connection_, "DELETE FROM counters WHERE id BETWEEN ? AND ?")
        .execute(std::uint64_t{number} * lane_key_base,
                 std::uint64_t{number} * lane_key_base + lane_count);
    sqlite::Statement(connection_, "DELETE FROM dictionary_use WHERE epoch = ?").execute(number);
    sqlite::Statement(connection_, "DELETE FROM epoch WHERE number = ?").execute(number);
    epochs_.erase(number);
}

void Books::lose(EpochBook& epoch, Lane lane, std::uint64_t count)
{
    epoch.lanes[index_of(lane)].counters.tombstoned += count;
    lost_[index_of(lane)] += count;
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

void Books::put_use(const DictionaryUse& use)
{
    use_.execute(use.epoch_number, index_of(use.lane), use.device, use.first, use.last, use.hash,
                 checksum(use));
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
            put_use({epoch.number, lane, at->device, at->hash, at->first, first - 1});
            *at = {reference.device, reference.hash, first};
        } else {
            held.insert(at, {reference.device, reference.hash, first});
        }
        put_use({epoch.number, lane, reference.device, reference.hash, first, std::nullopt});
    }
}

std::vector<Books::DictionaryUse> Books::dictionary_uses()
{
    std::vector<DictionaryUse> uses;
    sqlite::Statement select(
        connection_, "SELECT epoch, lane, device, first, last, hash, crc FROM dictionary_use");
    for (auto row = select.run(); row.next();) {
        check(row.number(1) < lane_count, "dictionary_use");
        DictionaryUse use{static_cast<std::uint32_t>(row.integer(0)),
                          all_lanes[row.number(1)],
                          static_cast<std::uint16_t>(row.integer(2)),
                          row.number(5),
                          row.number(3),
                          std::nullopt};
        if (!row.is_null(4)) {
            use.last = row.number(4);
        }
        check(checksum(use) == row.number(6), "dictionary_use");
        uses.push_back(use);
    }
    return uses;
}

}  // namespace gateway
