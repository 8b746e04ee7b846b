#pragma once

#include "gateway/core/json.hpp"
#include "gateway/store/outbox.hpp"
#include "gateway/store/sqlite.hpp"
#include "tests/unit/store/random_readings.hpp"
#include "tests/unit/store/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gateway {

inline Moment moment()
{
    const auto header = example_header();
    return {header.opened, header.clock};
}

/// A batch of good integers that follows the example header.
inline PendingBatch pending(std::size_t count, Lane lane = Lane::telemetry)
{
    const auto header = example_header(lane);
    PendingBatch batch{lane, header.opened, header.clock, header.dictionaries, {}};
    for (std::size_t i = 0; i < count; ++i) {
        batch.readings.push_back({{1, static_cast<std::uint16_t>(i % 50)},
                                  header.opened + std::chrono::milliseconds(i),
                                  Value::integer(static_cast<std::int64_t>(i * i)),
                                  Quality::good,
                                  Cause::none,
                                  {}});
    }
    return batch;
}

/// Readings that do not compress, so that a few batches fill a small budget.
inline PendingBatch noise(Lane lane, std::uint64_t seed, std::size_t count = 2000)
{
    auto batch = pending(0, lane);
    std::mt19937_64 random(seed);
    for (std::size_t i = 0; i < count; ++i) {
        const auto number = static_cast<std::int32_t>(random());
        batch.readings.push_back({{1, 1}, batch.opened, Value::integer(number), {}, {}, {}});
    }
    return batch;
}

inline std::string file_bytes(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// An outbox in a folder of its own, opened at its first use.
class OutboxTest : public testing::Test {
protected:
    OutboxSettings& settings() { return settings_; }
    Outbox& outbox()
    {
        if (!outbox_) {
            outbox_ = std::make_unique<Outbox>(settings_);
        }
        return *outbox_;
    }
    void close() { outbox_.reset(); }
    void reopen()
    {
        close();
        outbox();
    }

    /// Goes on with what a process that is killed now leaves, in a folder of its own.
    void kill()
    {
        const auto state = killed_.path() + "/state";
        std::filesystem::copy(settings_.directory, state, std::filesystem::copy_options::recursive);
        close();
        settings_.directory = state;
    }

    LaneCounters counters(Lane lane) { return outbox().epochs().back().lanes[index_of(lane)]; }
    LaneCounters counters_of(std::uint32_t number, Lane lane)
    {
        return outbox().epochs().at(number - 1).lanes[index_of(lane)];
    }
    EpochId epoch_id(std::uint32_t number) { return outbox().epochs().at(number - 1).id; }

    std::vector<StoredBatch> all_rows(Lane lane) { return outbox().read(lane, 0, 0, SIZE_MAX); }
    std::vector<std::uint64_t> firsts(Lane lane)
    {
        std::vector<std::uint64_t> found;
        for (const auto& row : all_rows(lane)) {
            found.push_back(row.first);
        }
        return found;
    }
    std::vector<Reading> all_readings(Lane lane)
    {
        std::vector<Reading> all;
        for (const auto& row : all_rows(lane)) {
            const auto batch = decode(*row.bytes);
            EXPECT_TRUE(batch);
            EXPECT_EQ(batch->header.first, row.first);
            EXPECT_EQ(batch->count(), row.count);
            const auto& readings = std::get<std::vector<Reading>>(batch->content);
            all.insert(all.end(), readings.begin(), readings.end());
        }
        return all;
    }
    std::vector<json::value> control_rows()
    {
        std::vector<json::value> rows;
        for (const auto& reading : all_readings(Lane::control)) {
            rows.push_back(*parse_json(reading.value.text()));
        }
        return rows;
    }
    Tombstone tombstone(const StoredBatch& row)
    {
        const auto batch = decode(*row.bytes);
        return batch ? std::get<Tombstone>(batch->content) : Tombstone();
    }

private:
    TemporaryDirectory directory_, killed_;
    OutboxSettings settings_{directory_.path() + "/state", "place-1714000.box-0001",
                             example_header().boot};
    std::unique_ptr<Outbox> outbox_;
};

}  // namespace gateway
