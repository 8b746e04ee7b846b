// What a store of many rows costs beside a small one: insert, drain, start; and what ingest waits
// for while rows are released or purged. store_size [ROWS of 4,000 readings] prints Markdown.
#include "gateway/store/outbox.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

namespace gateway {
namespace {

constexpr std::size_t points = 1000;
constexpr std::size_t readings_in_row = 4000;
constexpr int samples = 400;
constexpr auto folder = "store-size";  // in the working folder: on the disk that is meant
constexpr std::uint64_t ample = 64ULL << 30;

double ms_since(std::chrono::steady_clock::time_point begin)
{
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
        .count();
}

template <typename Work>
double timed(Work work)
{
    const auto begin = std::chrono::steady_clock::now();
    work();
    return ms_since(begin);
}

struct Times {
    std::vector<double> ms;
    double part(double share)
    {
        std::ranges::sort(ms);
        return ms.empty() ? 0 : ms[static_cast<std::size_t>(share * double(ms.size() - 1))];
    }
};

/// 1,000 points of 16 bits, each read again and again: a random walk.
class Walk {
public:
    PendingBatch next(std::size_t count)
    {
        PendingBatch batch;
        for (unsigned device = 1; device <= 1 + points / 60; ++device) {
            batch.dictionaries.push_back(
                {static_cast<std::uint16_t>(device), device * 0x9E3779B97F4A7C15U});
        }
        for (std::size_t i = 0; i < count; ++i) {
            const auto point = at_++ % points;
            level_[point] += static_cast<std::int64_t>(random_() % 21) - 10;
            Reading reading;
            reading.alias = {static_cast<std::uint16_t>(1 + point / 60),
                             static_cast<std::uint16_t>(point % 60)};
            reading.time = BootTime(std::chrono::milliseconds(100 * (at_ / points)));
            reading.value = Value::integer(level_[point]);
            batch.readings.push_back(reading);
        }
        return batch;
    }

private:
    std::mt19937_64 random_{1};
    std::vector<std::int64_t> level_ = std::vector<std::int64_t>(points, 10'000);
    std::size_t at_ = 0;
};

OutboxSettings settings(std::uint64_t budget)
{
    OutboxSettings made;
    made.directory = folder;
    made.box = "box";
    made.budget_bytes = budget;
    return made;
}

Moment moment()
{
    return {};
}

/// One row a commit, as the intake does it, with the checkpoints that fall due.
double insert(Outbox& outbox, Walk& walk, Times& checkpoints)
{
    Commit commit;
    commit.batches.push_back(walk.next(readings_in_row));
    const auto took = timed([&] { outbox.commit(commit); });
    checkpoints.ms.push_back(timed([&] { outbox.checkpoint(); }));
    return took;
}

void fill(int rows, std::size_t readings)
{
    std::filesystem::remove_all(folder);
    Outbox outbox(settings(ample));
    outbox.announce_epochs(moment());
    Walk walk;
    for (int done = 0; done < rows; done += 10) {
        Commit commit;
        for (int i = done; i < std::min(done + 10, rows); ++i) {
            commit.batches.push_back(walk.next(readings));
        }
        outbox.commit(commit);
        outbox.checkpoint();
    }
    outbox.close_epoch();
}

double start_ms()
{
    Times starts;
    for (int i = 0; i < 7; ++i) {
        starts.ms.push_back(timed([] {
            Outbox outbox(settings(ample));
            outbox.announce_epochs(moment());
        }));
    }
    return starts.part(0.5);
}

/// Readings a second, read and released as a drain does it, over `samples` rows.
double drain_rate(Outbox& outbox, Times& slices)
{
    const auto begin = std::chrono::steady_clock::now();
    std::uint64_t readings = 0;
    for (int rows = 0; rows < samples;) {
        const auto read = outbox.read(Lane::telemetry, 0, 0, 262'144);
        if (read.empty()) {
            break;
        }
        rows += static_cast<int>(read.size());
        for (const auto& row : read) {
            readings += row.count;
            slices.ms.push_back(
                timed([&] { outbox.apply_receipt(row.epoch, row.lane, {row.range()}); }));
        }
    }
    return static_cast<double>(readings) / ms_since(begin) * 1000;
}

void measure(const char* name)
{
    const auto start = start_ms();
    Outbox outbox(settings(ample));
    outbox.announce_epochs(moment());
    Walk walk;
    Times inserts;
    Times checkpoints;
    for (int i = 0; i < samples; ++i) {
        inserts.ms.push_back(insert(outbox, walk, checkpoints));
    }
    Times slices;
    const auto rate = drain_rate(outbox, slices);
    std::printf("| %s | %.2f | %.2f | %.2f | %.0f | %.1f |\n", name, inserts.part(0.5),
                inserts.part(0.99), checkpoints.part(1), rate, start);
    std::fflush(stdout);
}

/// What a commit waits for when slices of other work run between commits.
template <typename Slice>
void beside(const char* name, Outbox& outbox, Walk& walk, Slice slice)
{
    Times inserts;
    Times slices;
    Times checkpoints;
    for (int i = 0; i < samples; ++i) {
        const auto other = timed(slice);
        slices.ms.push_back(other);
        inserts.ms.push_back(other + insert(outbox, walk, checkpoints));
    }
    std::printf("| %s | %.2f | %.2f | %.2f |\n", name, inserts.part(0.5), inserts.part(0.99),
                slices.part(1));
    std::fflush(stdout);
}

void measure_waits()
{
    std::uint64_t used = 0;
    {
        Outbox outbox(settings(ample));
        outbox.announce_epochs(moment());
        Walk walk;
        beside("alone", outbox, walk, [] {});
        const auto oldest = outbox.epochs().front();
        const auto head = oldest.lanes[index_of(Lane::telemetry)].head;
        beside("rows are released by a receipt", outbox, walk, [&] {
            outbox.apply_receipt(oldest.id, Lane::telemetry, {{1, head}});
        });
        used = outbox.use().used_bytes;
        outbox.close_epoch();
    }
    Outbox outbox(settings(used));  // full from the first commit on
    outbox.announce_epochs(moment());
    Walk walk;
    beside("rows are purged, the store is full", outbox, walk, [] {});
}

}  // namespace
}  // namespace gateway

int main(int count, char** words)
{
    using namespace gateway;
    const int rows = count > 1 ? std::atoi(words[1]) : 25'000;
    std::puts(
        "| readings stored | insert ms | p99 | longest checkpoint | drain readings/s | start ms |");
    std::puts("| --- | ---: | ---: | ---: | ---: | ---: |");
    fill(1, 1000);
    measure("1,000");
    fill(rows, readings_in_row);
    measure((std::to_string(rows) + " rows of 4,000").c_str());
    std::puts("\n| meanwhile | insert ms | p99 | longest slice |\n| --- | ---: | ---: | ---: |");
    measure_waits();
    std::filesystem::remove_all(folder);
}
