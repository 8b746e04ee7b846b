#include "gateway/receiver/batch_writer.hpp"

#include "gateway/core/digest.hpp"
#include "gateway/runtime/log.hpp"

#include <algorithm>
#include <utility>

namespace gateway {

namespace {

constexpr std::size_t most_open_lines = 1U << 20U;
constexpr std::size_t most_ranges = 10'000;
constexpr std::uint16_t epoch_closed_row = 2;

// True when taking `range` would leave one more hole in a lane that has too many.
bool is_too_scattered(const LaneAccount& account, Range range)
{
    const Range around{range.first - 1, range.last + 1};
    const auto full = [&](const RangeSet& set) {
        return set.ranges().size() >= most_ranges && !set.intersects(around);
    };
    return full(account.data) || full(account.lost);
}

std::uint64_t sum_of(const std::vector<Reading>& readings, std::uint64_t first, Range range)
{
    std::uint64_t sum = 0;
    for (auto sequence = range.first; sequence <= range.last; ++sequence) {
        sum += mix(sequence, readings[sequence - first]);
    }
    return sum;
}

// Takes out of the sums what `account` holds of `range`, which is about to be declared lost.
void leave_out(LedgerState& ledger, const EpochRecord& epoch, Lane lane, LaneAccount& account,
               Range range)
{
    const auto held = size_within(account.data, range);
    if (held == 0) {
        return;
    }
    std::uint64_t found = 0;
    for (const auto& piece : ledger.pieces(epoch.number, lane, range)) {
        if (piece.range.first >= range.first && piece.range.last <= range.last) {
            found += piece.range.size();
            account.sum -= piece.sum;
        }
    }
    account.count -= held;
    account.cut = account.cut || found != held;
}

}  // namespace

Checked<BatchWriter::Found> BatchWriter::dictionaries_of(const Topic& topic,
                                                         const BatchHeader& header,
                                                         std::vector<DictionaryHash>& missing)
{
    Found found;
    found.reserve(header.dictionaries.size());
    for (const auto& ref : header.dictionaries) {
        auto dictionary = dictionaries_.find(topic, ref.hash);
        if (!dictionary) {
            missing.push_back(ref.hash);
        } else if (dictionary->device() != ref.device) {
            return Refusal{"a dictionary that the batch names is of another device"};
        }
        found.push_back(std::move(dictionary));
    }
    return found;
}

Checked<BatchWriter::Taken> BatchWriter::take(const Topic& topic, ByteView message)
{
    const auto batch = decoder_.decode(message);
    if (!batch) {
        return Refusal{"not a batch: " + batch.error().message()};
    }
    const auto& header = batch->header;
    if (header.box != topic.box) {
        return Refusal{"the batch is of another box than its topic"};
    }
    if (header.first > highest_sequence || batch->count() > highest_sequence - header.first) {
        return Refusal{"sequences beyond any that can be"};
    }
    const Range range{header.first, header.first + batch->count() - 1};
    Taken taken{.epoch = header.epoch, .lane = header.lane, .first = header.first};
    if (header.clock.state != ClockState::unset) {
        taken.opened = header.clock.wall.time_since_epoch();
    }
    const auto known = ledger_.find_epoch(topic.box, header.epoch);
    const auto account = known ? ledger_.account(known->number, header.lane) : LaneAccount{};
    if (is_too_scattered(account, range)) {
        return Refusal{"more holes in one lane than this receiver keeps", RefusalKind::limit};
    }
    const auto* readings = std::get_if<std::vector<Reading>>(&batch->content);
    Checked<Found> found = Found{};
    if (readings != nullptr && !account.data.contains(range)) {
        found = dictionaries_of(topic, header, taken.missing);
        if (!found) {
            return found.error();
        }
        if (!taken.missing.empty()) {
            return taken;
        }
    }
    const Arrival arrival{topic, header, ledger_.epoch(topic.box, header.epoch), range};
    if (readings != nullptr) {
        compare(arrival, *readings);
        write(arrival, *readings, *found);
    } else {
        write(arrival, std::get<Tombstone>(batch->content));
    }
    return taken;
}

void BatchWriter::write(const Arrival& arrival, const std::vector<Reading>& readings,
                        const Found& found)
{
    const auto lane = arrival.header.lane;
    auto account = ledger_.account(arrival.epoch.number, lane);
    const auto holes = account.data.holes(arrival.range);
    std::uint64_t written = 0;
    if (!holes.empty()) {
        const auto wall_minus_boot = date(arrival);
        ReadingLines lines(arrival.topic.org, arrival.header, wall_minus_boot, found);
        for (const auto& hole : holes) {
            for (const auto& part : parts_by(account.lost, hole)) {
                const auto sum = write_part(arrival, readings, part, lines);
                if (!account.lost.contains(part)) {
                    account.count += part.size();
                    account.sum += sum;
                }
                ledger_.add_piece(arrival.epoch.number, lane, {part, sum});
            }
            account.data.add(hole);
            account.forgone.remove(hole);
            written += hole.size();
        }
        account.head = std::max(account.head, arrival.range.last);
        ledger_.put_account(arrival.epoch.number, lane, account);
        note_closed_epochs(arrival, readings);
        ++tally_.batches;
    }
    tally_.readings += written;
    tally_.duplicates += readings.size() - written;
}

std::uint64_t BatchWriter::write_part(const Arrival& arrival, const std::vector<Reading>& readings,
                                      Range part, ReadingLines& lines)
{
    if (file_.is_wanted()) {
        for (auto sequence = part.first; sequence <= part.last; ++sequence) {
            lines.append(lines_, sequence, readings[sequence - arrival.range.first]);
            if (lines_.size() >= most_open_lines) {
                flush();
            }
        }
    }
    return sum_of(readings, arrival.range.first, part);
}

void BatchWriter::write(const Arrival& arrival, const Tombstone& tombstone)
{
    const auto lane = arrival.header.lane;
    auto account = ledger_.account(arrival.epoch.number, lane);
    if (account.lost.contains(arrival.range)) {
        tally_.duplicates += tombstone.count;
        return;
    }
    auto wall_minus_boot = wall_minus_boot_ms(arrival.header);
    if (!wall_minus_boot) {
        wall_minus_boot =
            ledger_.boot_date(arrival.topic.box, arrival.header.boot).wall_minus_boot_ms;
    }
    const Loss loss{.range = arrival.range,
                    .reason = to_string(tombstone.reason),
                    .first_unix_ms = unix_ms(tombstone.first_time, wall_minus_boot),
                    .last_unix_ms = unix_ms(tombstone.last_time, wall_minus_boot)};
    declare_lost(arrival.topic.org, arrival.epoch, lane, account, loss);
    account.head = std::max(account.head, arrival.range.last);
    ledger_.put_account(arrival.epoch.number, lane, account);
    ++tally_.batches;
}

void BatchWriter::declare_lost(std::string_view org, const EpochRecord& epoch, Lane lane,
                               LaneAccount& account, const Loss& loss)
{
    auto known = account.data;
    known.add(account.lost);
    for (const auto& hole : known.holes(loss.range)) {
        append_gap(lines_, {epoch.box, org, epoch.id, lane}, hole.first, hole.last, loss.reason,
                   loss.first_unix_ms, loss.last_unix_ms);
        ledger_.add_gap(epoch.number, lane, {hole, std::string(loss.reason)});
        ++tally_.gaps;
        tally_.lost += hole.size();
    }
    for (const auto& part : account.lost.holes(loss.range)) {
        leave_out(ledger_, epoch, lane, account, part);
    }
    account.lost.add(loss.range);
}

void BatchWriter::declare_tail_lost(std::string_view org, const EpochRecord& epoch, Lane lane,
                                    std::uint64_t first)
{
    append_gap(lines_, {epoch.box, org, epoch.id, lane}, first, std::nullopt,
               to_string(LossReason::store_lost), std::nullopt, std::nullopt);
}

// The same key with other content is a fault of the highest class (protocol.md, section 1).
void BatchWriter::compare(const Arrival& arrival, const std::vector<Reading>& readings)
{
    const auto lane = arrival.header.lane;
    for (const auto& piece : ledger_.pieces(arrival.epoch.number, lane, arrival.range)) {
        const bool inside =
            piece.range.first >= arrival.range.first && piece.range.last <= arrival.range.last;
        if (inside && sum_of(readings, arrival.range.first, piece.range) != piece.sum) {
            ++tally_.conflicts;
            log(LogLevel::error, "conflict: the same key came with other content",
                {{"box", arrival.topic.box},
                 {"epoch", arrival.header.epoch.hex()},
                 {"lane", to_string(lane)},
                 {"first", piece.range.first},
                 {"last", piece.range.last}});
            return;
        }
    }
}

// How the readings of a batch are dated, and what that means for others of the same boot.
std::optional<std::int64_t> BatchWriter::date(const Arrival& arrival)
{
    const auto& header = arrival.header;
    const auto own = wall_minus_boot_ms(header);
    if (own && header.clock.state != ClockState::synced) {
        return own;
    }
    auto known = ledger_.boot_date(arrival.topic.box, header.boot);
    if (own && !known.wall_minus_boot_ms) {
        if (known.undated) {
            append_correction(lines_, arrival.topic.box, arrival.topic.org, header.boot, *own,
                              header.clock.error_ms);
        }
        known.wall_minus_boot_ms = own;
        ledger_.put_boot_date(arrival.topic.box, header.boot, known);
    } else if (!own && !known.wall_minus_boot_ms && !known.undated) {
        known.undated = true;
        ledger_.put_boot_date(arrival.topic.box, header.boot, known);
    }
    return own ? own : known.wall_minus_boot_ms;
}

void BatchWriter::note_closed_epochs(const Arrival& arrival, const std::vector<Reading>& readings)
{
    if (arrival.header.lane != Lane::control) {
        return;
    }
    for (const auto& reading : readings) {
        if (reading.alias != Alias{.device = 0, .row = epoch_closed_row}) {
            continue;
        }
        const auto closed = parse_epoch_closed(reading.value.text());
        auto epoch = closed ? ledger_.find_epoch(arrival.topic.box, closed->epoch) : std::nullopt;
        if (epoch) {
            close_epoch(ledger_, *epoch, closed->heads);
        }
    }
}

void BatchWriter::flush()
{
    file_.append(lines_);
    lines_.clear();
}

void close_epoch(LedgerState& ledger, EpochRecord& epoch, const PerLane<std::uint64_t>& heads)
{
    for (const auto lane : all_lanes) {
        auto account = ledger.account(epoch.number, lane);
        if (heads[index_of(lane)] > account.head) {
            account.head = heads[index_of(lane)];
            ledger.put_account(epoch.number, lane, account);
        }
    }
    epoch.closed = true;
    ledger.put_epoch(epoch);
}

}  // namespace gateway
