#include "gateway/store/outbox.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <string>

namespace gateway {
namespace {

constexpr int points = 1000;
constexpr int rounds = 32;

/// 1,000 points read 32 times at 10 Hz: a random walk of 16-bit integers or of float32.
std::vector<Reading> walk(bool floats)
{
    std::mt19937_64 random(1);
    std::vector<double> level(points);
    for (auto& start : level) {
        start = static_cast<double>(random() % 40'000) - 20'000;
    }
    std::vector<Reading> readings;
    for (int round = 0; round < rounds; ++round) {
        for (std::size_t point = 0; point < points; ++point) {
            level[point] += static_cast<double>(random() % 21) - 10;
            Reading reading;
            reading.alias = {static_cast<std::uint16_t>(1 + point / 60),
                             static_cast<std::uint16_t>(point % 60)};
            reading.time = BootTime(std::chrono::milliseconds(100 * round));
            reading.value = floats ? Value::float32(static_cast<float>(level[point] / 97))
                                   : Value::integer(static_cast<std::int64_t>(level[point]));
            readings.push_back(reading);
        }
    }
    return readings;
}

PendingBatch batch_of(const std::vector<Reading>& readings)
{
    PendingBatch batch;
    batch.readings = readings;
    for (unsigned device = 1; device <= 1 + points / 60; ++device) {
        batch.dictionaries.push_back(
            {static_cast<std::uint16_t>(device), device * 0x9E3779B97F4A7C15U});
    }
    return batch;
}

void encode_batch(benchmark::State& state)
{
    const auto readings = walk(state.range(0) != 0);
    const auto batch = batch_of(readings);
    BatchEncoder encoder;
    BatchHeader header;
    header.box = "place-1714000.box-0001";
    header.dictionaries = batch.dictionaries;
    std::size_t size = 0;
    for ([[maybe_unused]] auto _ : state) {
        const CompactReadings compact(readings);
        size = encoder.encode(header, compact).size();
    }
    state.SetItemsProcessed(state.iterations() * points * rounds);
    state.counters["bytes_per_reading"] = static_cast<double>(size) / (points * rounds);
}
BENCHMARK(encode_batch)->ArgName("float32")->Arg(0)->Arg(1);

void decode_batch(benchmark::State& state)
{
    const auto bytes = encode(BatchHeader{.dictionaries = batch_of({}).dictionaries}, walk(false));
    BatchDecoder decoder;
    for ([[maybe_unused]] auto _ : state) {
        benchmark::DoNotOptimize(decoder.decode(bytes));
    }
    state.SetItemsProcessed(state.iterations() * points * rounds);
}
BENCHMARK(decode_batch);

/// A store in the working folder, so that it lies on the disk that is meant.
class Store {
public:
    explicit Store(std::uint64_t budget_bytes) : outbox({path, "box", {}, budget_bytes}) {}
    ~Store() { std::filesystem::remove_all(path); }
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    static constexpr auto path = "store-bench";
    Outbox outbox;
};

/// Readings to durable rows, `range(0)` rounds of all points a batch, moved out of the WAL in time.
void append(benchmark::State& state)
{
    auto readings = walk(false);
    readings.resize(static_cast<std::size_t>(points * state.range(0)));
    Store store(1 << 30);
    const auto before = store.outbox.use().written_bytes;
    for ([[maybe_unused]] auto _ : state) {
        Commit commit;
        commit.batches.push_back(batch_of(readings));
        store.outbox.commit(commit);
        store.outbox.checkpoint();
    }
    const auto stored =
        static_cast<double>(state.iterations()) * static_cast<double>(readings.size());
    state.SetItemsProcessed(static_cast<std::int64_t>(stored));
    state.counters["written_bytes_per_reading"] =
        static_cast<double>(store.outbox.use().written_bytes - before) / stored;
}
BENCHMARK(append)->ArgName("rounds")->Arg(1)->Arg(10)->Arg(32)->UseRealTime();

/// 100 readings a commit, as a site of 10 readings a second writes them.
void append_small(benchmark::State& state)
{
    auto readings = walk(false);
    readings.resize(100);
    Store store(1 << 30);
    const auto before = store.outbox.use().written_bytes;
    for ([[maybe_unused]] auto _ : state) {
        Commit commit;
        commit.batches.push_back(batch_of(readings));
        commit.batches.back().dictionaries.resize(2);
        store.outbox.commit(commit);
        store.outbox.checkpoint();
    }
    const auto stored = static_cast<double>(state.iterations()) * 100;
    state.SetItemsProcessed(static_cast<std::int64_t>(stored));
    state.counters["written_bytes_per_reading"] =
        static_cast<double>(store.outbox.use().written_bytes - before) / stored;
}
BENCHMARK(append_small)->UseRealTime();

/// Rows read back for sending, and freed by receipts in slices.
void drain(benchmark::State& state)
{
    constexpr int batches = 500;
    const auto readings = walk(false);
    for ([[maybe_unused]] auto _ : state) {
        state.PauseTiming();
        Store store(1 << 30);
        for (int i = 0; i < batches; ++i) {
            Commit commit;
            commit.batches.push_back(batch_of(readings));
            store.outbox.commit(commit);
            store.outbox.checkpoint();
        }
        state.ResumeTiming();
        std::uint64_t after = 0;
        for (;;) {
            const auto rows = store.outbox.read(Lane::telemetry, 1, after, 1 << 20);
            if (rows.empty()) {
                break;
            }
            after = rows.back().range().last;
        }
        while (
            store.outbox.apply_receipt(store.outbox.epoch(), Lane::telemetry, {{1, after}}).more) {
        }
        state.PauseTiming();
        state.counters["readings"] = static_cast<double>(after);
        state.ResumeTiming();
    }
    state.SetItemsProcessed(state.iterations() * batches * points * rounds);
}
BENCHMARK(drain)->Unit(benchmark::kMillisecond)->UseRealTime();

/// Opening, reading one batch and adding one, in a store of `range(0)` rows.
void with_rows(benchmark::State& state)
{
    auto readings = walk(false);
    readings.resize(100);
    const auto commit_one = [&](Outbox& outbox) {
        Commit commit;
        commit.batches.push_back(batch_of(readings));
        outbox.commit(commit);
        outbox.checkpoint();
    };
    {
        Outbox outbox({Store::path, "box", {}, 1 << 30});
        for (int i = 0; i < state.range(0); ++i) {
            commit_one(outbox);
        }
    }
    for ([[maybe_unused]] auto _ : state) {
        Outbox outbox({Store::path, "box", {}, 1 << 30});
        benchmark::DoNotOptimize(outbox.read(Lane::telemetry, 1, 0, 1));
        commit_one(outbox);
        benchmark::DoNotOptimize(outbox.epochs());
    }
    std::filesystem::remove_all(Store::path);
}
BENCHMARK(with_rows)->Arg(1'000)->Arg(25'000)->Unit(benchmark::kMillisecond)->Iterations(20);

}  // namespace
}  // namespace gateway
