#pragma once

#include "gateway/core/digest.hpp"
#include "tests/unit/store/outbox_fixture.hpp"

#include <map>
#include <utility>

namespace gateway {

/// What was committed to stores, kept beside them, and what must come out of whatever is left of
/// them: every sequence with the right content, delivered or declared lost.
class StoreTruth {
public:
    /// Commits some lanes of random readings. When that throws they may be there or not, and the
    /// next epoch, or retry(), takes over.
    void commit(Outbox& outbox, std::mt19937_64& random) { commit(outbox, some(random)); }
    void commit(Outbox& outbox, Commit work)
    {
        open_ = std::move(work);
        retry(outbox);
    }
    void retry(Outbox& outbox)
    {
        const auto epoch = outbox.epoch();
        for (const auto& batch : open_.batches) {
            auto& lane = lanes_[{epoch, batch.lane}];
            lane.readings.resize(lane.durable);
            const auto readings = batch.readings.expanded();
            lane.readings.insert(lane.readings.end(), readings.begin(), readings.end());
        }
        outbox.commit(open_);
        for (const auto& batch : open_.batches) {
            auto& lane = lanes_[{epoch, batch.lane}];
            lane.durable = lane.readings.size();
        }
    }
    static Commit some(std::mt19937_64& random)
    {
        Commit work;
        for (const auto lane : {Lane::telemetry, Lane::billing, Lane::alarm}) {
            if (lane != Lane::telemetry && random() % 3 != 0) {
                continue;
            }
            auto batch = pending(0, lane);
            batch.dictionaries = {{1, 11}, {2, 22}, {3, 33}, {4, 44}};
            batch.readings = random_readings(random, 1 + random() % 80, batch.opened);
            work.batches.push_back(batch);
        }
        return work;
    }
    void receive(Outbox& outbox, const EpochId& epoch, Lane lane, Range range,
                 bool tombstone = false)
    {
        auto& known = lanes_[{epoch, lane}];
        (tombstone ? known.declared : known.delivered).add(range);
        if (tombstone) {
            outbox.note_told(epoch, lane, range);
        }
        while (outbox.apply_receipt(epoch, lane, {range}).more) {
        }
    }

    /// Everything is there, delivered, or declared; and where `exact`, the manifest is right too.
    void expect_complete(Outbox& outbox, bool exact = true)
    {
        lost = 0;
        for (auto& [key, lane] : lanes_) {
            expect_lane(outbox, key.first, key.second, lane, exact);
        }
    }
    std::uint64_t readings() const
    {
        std::uint64_t total = 0;
        for (const auto& [key, lane] : lanes_) {
            total += lane.durable;
        }
        return total;
    }

    std::uint64_t lost = 0;  ///< readings declared lost, found by the last check

private:
    struct TrueLane {
        std::vector<Reading> readings;  ///< sequence - 1 is the index
        std::size_t durable = 0;        ///< so many of them: their commit returned
        RangeSet delivered, declared;   ///< what the platform has, as readings and as tombstones
    };

    void expect_lane(Outbox& outbox, const EpochId& id, Lane lane, const TrueLane& truth,
                     bool exact)
    {
        const auto epochs = outbox.epochs();
        const auto state = std::ranges::find(epochs, id, &EpochState::id);
        if (truth.durable == 0 && state == epochs.end()) {
            return;
        }
        ASSERT_NE(state, epochs.end()) << to_string(lane);
        EXPECT_FALSE(state->salvaged);
        RangeSet held;
        RangeSet tombstoned;
        for (const auto& row : outbox.read(lane, 0, 0, SIZE_MAX)) {
            if (row.epoch != id) {
                continue;
            }
            const auto batch = decode(*row.bytes);
            ASSERT_TRUE(batch);
            EXPECT_FALSE(held.intersects(row.range()) || tombstoned.intersects(row.range()));
            if (row.tombstone) {
                tombstoned.add(row.range());
                continue;
            }
            held.add(row.range());
            ASSERT_LE(row.range().last, truth.readings.size());
            const auto& readings = std::get<std::vector<Reading>>(batch->content);
            const auto begin = truth.readings.begin() + static_cast<std::ptrdiff_t>(row.first - 1);
            EXPECT_TRUE(std::equal(readings.begin(), readings.end(), begin));
        }
        auto known = held;
        tombstoned.add(truth.declared);
        known.add(tombstoned);
        known.add(truth.delivered);
        EXPECT_TRUE(truth.durable == 0 || known.holes({1, truth.durable}).empty())
            << to_string(lane) << " has an undeclared gap";
        const auto& counters = state->lanes[index_of(lane)];
        EXPECT_GE(counters.head, truth.durable);
        EXPECT_EQ(counters.tombstoned, tombstoned.size()) << to_string(lane);
        const auto told = counters.count + counters.tombstoned;
        EXPECT_LE(told, counters.head);
        EXPECT_GE(told + (exact ? 0 : truth.delivered.size()), counters.head);
        auto gone = tombstoned;
        for (const auto& range : truth.delivered.ranges()) {
            gone.remove(range);  // the platform has them: data wins
        }
        lost += gone.size();
        if (!exact) {
            return;
        }
        std::uint64_t sum = 0;
        for (std::uint64_t sequence = 1;
             sequence <= std::min<std::size_t>(counters.head, truth.readings.size()); ++sequence) {
            if (!tombstoned.contains({sequence, sequence})) {
                sum += mix(sequence, truth.readings[sequence - 1]);
            }
        }
        EXPECT_EQ(counters.sum, sum) << to_string(lane);
    }

    std::map<std::pair<EpochId, Lane>, TrueLane> lanes_;
    Commit open_;  ///< the last commit
};

}  // namespace gateway
