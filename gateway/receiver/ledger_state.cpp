#include "gateway/receiver/ledger_state.hpp"

#include "gateway/receiver/ledger_database.hpp"

#include <cstring>

namespace gateway {

namespace {

// Ranges as pairs of numbers of this machine: the state never leaves it.
Bytes bytes_of(const RangeSet& set)
{
    Bytes bytes(set.ranges().size() * sizeof(Range));
    if (!bytes.empty()) {
        std::memcpy(bytes.data(), set.ranges().data(), bytes.size());
    }
    return bytes;
}

RangeSet set_of(ByteView bytes)
{
    RangeSet set;
    for (; bytes.size() >= sizeof(Range); bytes = bytes.subspan(sizeof(Range))) {
        Range range;
        std::memcpy(&range, bytes.data(), sizeof(Range));
        set.add(range);
    }
    return set;
}

Id128 id_of(ByteView bytes)
{
    Id128 id;
    std::memcpy(id.bytes.data(), bytes.data(), std::min(bytes.size(), id.bytes.size()));
    return id;
}

}  // namespace

LedgerState::LedgerState(const std::string& directory)
    : database_(std::make_unique<Database>(directory))
{
}

LedgerState::~LedgerState() = default;

void LedgerState::commit()
{
    if (database_->transaction) {
        database_->transaction->commit();
        database_->transaction.reset();
    }
}

std::optional<OutputMark> LedgerState::output()
{
    auto rows = database_->read_output.run();
    return rows.next() ? std::optional(OutputMark{std::string(rows.text(0)), rows.number(1)})
                       : std::nullopt;
}

void LedgerState::set_output(const OutputMark& mark)
{
    database_->change();
    database_->write_output.execute(std::string_view(mark.path), mark.offset);
}

namespace {

BoxRecord box_from(const sqlite::Statement::Run& rows)
{
    BoxRecord record{.box = std::string(rows.text(0)), .org = std::string(rows.text(1))};
    if (!rows.is_null(2)) {
        record.current = id_of(rows.blob(2));
    }
    return record;
}

EpochRecord epoch_from(const sqlite::Statement::Run& rows, std::string_view box)
{
    return {.number = rows.integer(0),
            .box = std::string(box),
            .id = id_of(rows.blob(1)),
            .closed = rows.integer(2) != 0,
            .listed = rows.integer(3) != 0};
}

}  // namespace

std::optional<BoxRecord> LedgerState::box(std::string_view name)
{
    auto rows = database_->read_box.run(name);
    return rows.next() ? std::optional(box_from(rows)) : std::nullopt;
}

void LedgerState::put_box(const BoxRecord& record)
{
    database_->change();
    std::optional<ByteView> current;
    if (record.current) {
        current = record.current->bytes;
    }
    database_->write_box.execute(std::string_view(record.box), std::string_view(record.org),
                                 current);
}

std::vector<BoxRecord> LedgerState::boxes()
{
    std::vector<BoxRecord> found;
    auto rows = database_->read_boxes.run();
    while (rows.next()) {
        found.push_back(box_from(rows));
    }
    return found;
}

EpochRecord LedgerState::epoch(std::string_view box, const EpochId& id)
{
    if (const auto known = find_epoch(box, id)) {
        return *known;
    }
    database_->change();
    database_->add_epoch.execute(box, ByteView(id.bytes));
    return *find_epoch(box, id);
}

std::optional<EpochRecord> LedgerState::find_epoch(std::string_view box, const EpochId& id)
{
    auto rows = database_->read_epoch.run(box, ByteView(id.bytes));
    return rows.next() ? std::optional(epoch_from(rows, box)) : std::nullopt;
}

void LedgerState::put_epoch(const EpochRecord& record)
{
    database_->change();
    database_->write_epoch.execute(int{record.closed}, int{record.listed}, record.number);
}

std::vector<EpochRecord> LedgerState::epochs(std::string_view box)
{
    std::vector<EpochRecord> found;
    auto rows = database_->read_epochs.run(box);
    while (rows.next()) {
        found.push_back(epoch_from(rows, box));
    }
    return found;
}

LaneAccount LedgerState::account(std::int64_t epoch, Lane lane)
{
    LaneAccount account;
    auto rows = database_->read_lane.run(epoch, index_of(lane));
    if (!rows.next()) {
        return account;
    }
    account.data = set_of(rows.blob(0));
    account.lost = set_of(rows.blob(1));
    account.forgone = set_of(rows.blob(2));
    account.head = rows.number(3);
    account.count = rows.number(4);
    account.sum = rows.number(5);
    account.cut = rows.integer(6) != 0;
    if (!rows.is_null(7)) {
        account.manifest = ManifestLane{.head = rows.number(7),
                                        .count = rows.number(8),
                                        .sum = rows.number(9),
                                        .tombstoned = rows.number(10),
                                        .queued = rows.number(11)};
    }
    return account;
}

void LedgerState::put_account(std::int64_t epoch, Lane lane, const LaneAccount& account)
{
    database_->change();
    const auto data = bytes_of(account.data);
    const auto lost = bytes_of(account.lost);
    const auto forgone = bytes_of(account.forgone);
    const auto said = account.manifest.value_or(ManifestLane{});
    const auto when_said = [&](std::uint64_t number) {
        return account.manifest ? std::optional(number) : std::nullopt;
    };
    database_->write_lane.execute(
        epoch, index_of(lane), ByteView(data), ByteView(lost), ByteView(forgone), account.head,
        account.count, account.sum, int{account.cut}, when_said(said.head), when_said(said.count),
        when_said(said.sum), when_said(said.tombstoned), when_said(said.queued));
}

void LedgerState::add_piece(std::int64_t epoch, Lane lane, const Piece& piece)
{
    database_->change();
    database_->write_piece.execute(epoch, index_of(lane), piece.range.last, piece.range.first,
                                   piece.sum);
}

std::vector<Piece> LedgerState::pieces(std::int64_t epoch, Lane lane, Range within)
{
    std::vector<Piece> found;
    auto rows = database_->read_pieces.run(epoch, index_of(lane), within.first);
    while (rows.next() && rows.number(0) <= within.last) {
        found.push_back({{rows.number(0), rows.number(1)}, rows.number(2)});
    }
    return found;
}

void LedgerState::forget_pieces(std::int64_t epoch, Lane lane, std::uint64_t last)
{
    database_->change();
    database_->drop_pieces.execute(epoch, index_of(lane), last);
}

void LedgerState::add_gap(std::int64_t epoch, Lane lane, const Gap& gap)
{
    database_->change();
    database_->write_gap.execute(epoch, index_of(lane), gap.range.first, gap.range.last,
                                 std::string_view(gap.reason));
}

std::vector<Gap> LedgerState::gaps(std::int64_t epoch, Lane lane)
{
    std::vector<Gap> found;
    auto rows = database_->read_gaps.run(epoch, index_of(lane));
    while (rows.next()) {
        found.push_back({{rows.number(0), rows.number(1)}, std::string(rows.text(2))});
    }
    return found;
}

bool LedgerState::put_dictionary(std::string_view box, DictionaryHash hash, std::string_view bytes)
{
    if (dictionary(box, hash)) {
        return true;
    }
    auto rows = database_->count_dictionaries.run(box);
    if (rows.next() && rows.integer(0) >= most_dictionaries) {
        return false;
    }
    database_->change();
    const ByteView blob(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    database_->write_dictionary.execute(box, hash, blob);
    return true;
}

std::optional<std::string> LedgerState::dictionary(std::string_view box, DictionaryHash hash)
{
    auto rows = database_->read_dictionary.run(box, hash);
    if (!rows.next()) {
        return std::nullopt;
    }
    const auto blob = rows.blob(0);
    return std::string(blob.begin(), blob.end());
}

BootDate LedgerState::boot_date(std::string_view box, const BootId& boot)
{
    BootDate date;
    auto rows = database_->read_boot.run(box, ByteView(boot.bytes));
    if (rows.next()) {
        date.undated = rows.integer(1) != 0;
        if (!rows.is_null(0)) {
            date.wall_minus_boot_ms = rows.integer(0);
        }
    }
    return date;
}

void LedgerState::put_boot_date(std::string_view box, const BootId& boot, const BootDate& date)
{
    database_->change();
    database_->write_boot.execute(box, ByteView(boot.bytes), date.wall_minus_boot_ms,
                                  int{date.undated});
}

}  // namespace gateway
