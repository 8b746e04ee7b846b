#include "gateway/store/open_batches.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

namespace gateway {

namespace {

using namespace std::chrono_literals;

constexpr Duration clock_check_interval = 1s;
constexpr Duration joined_commits = 1s;  ///< what is due within this goes with what is due now
constexpr auto smallest_step = 50ms;
constexpr double most_compressed_bytes = 120'000;
constexpr double first_guess = 4;  ///< bytes a reading, before a batch was seen
constexpr std::uint32_t unknown_error = 0xFFFFFFFF;

BootTime milliseconds(Instant instant)
{
    return std::chrono::floor<std::chrono::milliseconds>(instant);
}

/// The wall clock no longer stands to the boot clock as it did when the batch was opened.
bool has_changed(const ClockReading& before, BootTime opened, const ClockReading& now, BootTime at)
{
    if (before.state != now.state) {
        return true;
    }
    const auto offset = (now.wall.time_since_epoch() - at.time_since_epoch()) -
                        (before.wall.time_since_epoch() - opened.time_since_epoch());
    const auto error = std::chrono::milliseconds(now.error_ms == unknown_error ? 0 : now.error_ms);
    return std::chrono::abs(offset) > smallest_step + error;
}

}  // namespace

OpenBatches::OpenBatches(Clock& clock, const PerLane<Duration>& interval,
                         std::string spool_directory, const EpochId& epoch, EventListener tell)
    : clock_(clock),
      interval_(interval),
      spool_directory_(std::move(spool_directory)),
      epoch_(epoch),
      tell_(std::move(tell))
{
    bytes_per_reading_.fill(first_guess);
    std::error_code error;
    if (!spool_directory_.empty()) {
        std::filesystem::create_directories(spool_directory_, error);
    }
}

std::optional<DictionaryHash> OpenBatches::dictionary(std::uint16_t device) const
{
    const auto at = dictionaries_.find(device);
    return at == dictionaries_.end() ? std::nullopt : std::optional(at->second);
}

void OpenBatches::set_dictionary(std::uint16_t device, DictionaryHash hash)
{
    for (const auto lane : all_lanes) {
        const auto& open = open_[index_of(lane)];
        if (open && std::ranges::binary_search(open->batch.dictionaries, device, {},
                                               &DictionaryRef::device)) {
            close(lane);
        }
    }
    dictionaries_[device] = hash;
}

void OpenBatches::learn_size(Lane lane, std::uint64_t readings, std::size_t bytes)
{
    auto& guess = bytes_per_reading_[index_of(lane)];
    guess = (guess + static_cast<double>(bytes) / static_cast<double>(readings)) / 2;
}

void OpenBatches::accept(Lane lane, std::span<const Reading> readings)
{
    watch_clock();
    while (!readings.empty()) {
        auto& open = open_for(lane, readings.front());
        const auto count = put(open, readings);
        heads_[index_of(lane)] += count;
        readings = readings.subspan(count);
        if (is_full(lane, open)) {
            close(lane);
        }
    }
}

/// Closes every batch whose wall clock is no longer that of its header.
void OpenBatches::watch_clock()
{
    const auto now = clock_.now();
    if (now < next_clock_check_) {
        return;
    }
    next_clock_check_ = now + clock_check_interval;
    const auto wall = clock_.wall();
    for (const auto lane : all_lanes) {
        const auto& open = open_[index_of(lane)];
        if (open && has_changed(open->batch.clock, open->batch.opened, wall, milliseconds(now))) {
            close(lane);
        }
    }
}

/// The lane's open batch, if it can take this reading, else a new one.
OpenBatches::Open& OpenBatches::open_for(Lane lane, const Reading& reading)
{
    auto& open = open_[index_of(lane)];
    if (open && !open->batch.readings.accepts(reading)) {
        close(lane);
    }
    if (open) {
        return *open;
    }
    const auto now = clock_.now();
    PendingBatch batch{lane, milliseconds(now), clock_.wall(), {}, {}};
    const auto away = reading.time - batch.opened;
    if (std::chrono::abs(away).count() >= CompactReadings::most_milliseconds) {
        batch.opened += away;  // the same clock, read at the reading's time
        batch.clock.wall += away;
    }
    const auto wait = std::chrono::duration_cast<Duration>(interval_[index_of(lane)] * stretch_);
    open.emplace(Open{std::move(batch), now + wait, std::nullopt});
    if (!spool_directory_.empty()) {
        const SpoolHeader header{epoch_, lane, heads_[index_of(lane)] + 1, open->batch.opened,
                                 open->batch.clock};
        open->spool = SpoolFile::create(spool_directory_, header);
        if (!open->spool) {
            tell_({"spool-unusable", Severity::warning,
                   "No spool in " + spool_directory_ + " (" +
                       std::generic_category().message(errno) +
                       "): a killed process loses the readings of its open batches",
                   ""});
            spool_directory_.clear();
        }
    }
    return *open;
}

/// Puts as many as the batch takes; says how many.
std::size_t OpenBatches::put(Open& open, std::span<const Reading> readings)
{
    auto& batch = open.batch;
    std::vector<DictionaryRef> named;
    std::uint16_t last_named = 0;
    std::size_t count = 0;
    for (const auto& reading : readings) {
        if (batch.readings.size() == full_batch || !batch.readings.accepts(reading)) {
            break;
        }
        const auto device = reading.alias.device;
        if (device != 0 && device != last_named) {
            last_named = device;
            const auto at =
                std::ranges::lower_bound(batch.dictionaries, device, {}, &DictionaryRef::device);
            if (at == batch.dictionaries.end() || at->device != device) {
                const auto hash = dictionary(device);
                assert(hash);  // announced before the first reading that needs it
                named.push_back({device, hash.value_or(0)});
                batch.dictionaries.insert(at, named.back());
            }
        }
        batch.readings.push_back(reading);
        ++count;
    }
    if (open.spool && !open.spool->append(named, readings.first(count))) {
        tell_({"spool-full", Severity::warning,
               "The spool takes no more: a killed process loses the readings of this batch", ""});
        open.spool->remove();
        open.spool.reset();
    }
    return count;
}

bool OpenBatches::is_full(Lane lane, const Open& open) const
{
    const auto& readings = open.batch.readings;
    return readings.size() == full_batch || readings.body_bytes() > most_body_bytes / 2 ||
           static_cast<double>(readings.size()) * bytes_per_reading_[index_of(lane)] >
               most_compressed_bytes;
}

void OpenBatches::close(Lane lane)
{
    closed_.push_back(std::move(*open_[index_of(lane)]));
    open_[index_of(lane)].reset();
}

Instant OpenBatches::due() const
{
    if (!closed_.empty()) {
        return Instant::min();
    }
    auto first = Instant::max();
    for (const auto& open : open_) {
        first = open ? std::min(first, open->due) : first;
    }
    return first;
}

OpenBatches::Taken OpenBatches::take_due()
{
    const auto now = clock_.now();
    return due() <= now ? take(now + joined_commits) : Taken();
}

OpenBatches::Taken OpenBatches::take_all()
{
    return take(Instant::max());
}

OpenBatches::Taken OpenBatches::take(Instant until)
{
    for (const auto lane : all_lanes) {
        const auto& open = open_[index_of(lane)];
        if (open && open->due <= until) {
            close(lane);
        }
    }
    Taken taken;
    for (auto& closed : std::exchange(closed_, {})) {
        taken.items.push_back({std::move(closed.batch), std::move(closed.spool)});
    }
    return taken;
}

std::size_t OpenBatches::memory_bytes() const
{
    std::size_t total = 0;
    for (const auto& open : open_) {
        total += open ? open->batch.readings.memory_bytes() : 0;
    }
    for (const auto& closed : closed_) {
        total += closed.batch.readings.memory_bytes();
    }
    return total;
}

std::size_t OpenBatches::Taken::memory_bytes() const
{
    std::size_t total = 0;
    for (const auto& item : items) {
        total += item.batch.readings.memory_bytes();
    }
    return total;
}

}  // namespace gateway
