// Histories of a store by a seed. `./dev faults P4` and `F16` run one per seed and read the line
// that it prints; the check runs a few.
#include "tests/support/faulty_vfs.hpp"
#include "tests/unit/store/store_truth.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <iostream>

namespace gateway {
namespace {

namespace fs = std::filesystem;
using test::FaultyDisk;

/// Runs `one(seed)` for the seed that the environment gives, or for the first few and those that
/// once found something.
template <typename Function>
void for_seeds(std::uint64_t usual, const std::vector<std::uint64_t>& telling, Function one)
{
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing in this process changes the environment
    const char* given = std::getenv("STORE_SEED");
    if (given != nullptr) {
        one(std::strtoull(given, nullptr, 10));
        return;
    }
    auto seeds = telling;
    for (std::uint64_t seed = 1; seed <= usual; ++seed) {
        seeds.push_back(seed);
    }
    for (const auto seed : seeds) {
        SCOPED_TRACE("STORE_SEED=" + std::to_string(seed));
        one(seed);
        if (testing::Test::HasFailure()) {
            return;
        }
    }
}

void print(json::object line, std::uint64_t seed)
{
    line["seed"] = seed;
    line["verdict"] = testing::Test::HasFailure() ? "failed" : "ok";
    std::cout << json::serialize(line) << std::endl;
}

/// A store that lives, has its power cut, and lives on from what the cut left.
class History {
public:
    explicit History(std::uint64_t seed) : random_(seed)
    {
        evicts_ = random_() % 4 == 0;
        is_heavy_ = random_() % 4 == 0;
        disk_.before_sync([this] { look(); });
    }
    ~History()
    {
        disk_.before_sync({});
        outbox_.reset();
    }
    History(const History&) = delete;
    History& operator=(const History&) = delete;

    /// Until the power is cut, and the start after that.
    void life()
    {
        cut_after_ = 1 + random_() % (random_() % 3 == 0 ? 15 : 150);
        state_ = folder_.path() + "/" + std::to_string(states_);
        if (states_ == 0) {
            fs::create_directory(state_);
        }
        start();
        while (!was_cut_) {
            step();
            look();
        }
        outbox_.reset();
        fs::remove_all(state_);
        truth_ = truth_then_;
        was_cut_ = false;
        judge();
    }

    json::object line() const
    {
        return {{"states", states_},
                {"durable", truth_.readings()},
                {"declared", truth_.lost},
                {"salvages", salvages_},
                {"evicts", evicts_}};
    }

private:
    std::string after_cut() const { return folder_.path() + "/" + std::to_string(states_); }

    void start()
    {
        // Each start is after a power cut: another boot.
        OutboxSettings settings{state_, "place-1714000.box-0001", BootId::random()};
        settings.budget_bytes = evicts_ ? 300'000 : 64 << 20;
        outbox_ = std::make_unique<Outbox>(settings);
        EXPECT_TRUE(outbox_->is_usable());
        was_open_ = open_epochs();
        outbox_->announce_epochs(moment());
    }
    std::vector<EpochId> open_epochs()
    {
        std::vector<EpochId> found;
        for (const auto& epoch : outbox_->epochs()) {
            if (!epoch.closed && !epoch.salvaged && epoch.id != outbox_->epoch()) {
                found.push_back(epoch.id);
            }
        }
        return found;
    }

    /// The moment at which the power may be cut: what of the files is left then is kept.
    void look()
    {
        if (was_cut_ || --cut_after_ > 0) {
            return;
        }
        was_cut_ = true;
        ++states_;
        disk_.cut(state_, after_cut(), random_);
        truth_then_ = truth_;
        tear_heads(after_cut() + "/heads");
    }
    /// The slot that is being written may be there in part.
    void tear_heads(const std::string& path)
    {
        if (heads_before_.empty() || !fs::exists(path)) {
            return;
        }
        auto bytes = file_bytes(path);
        heads_before_.resize(bytes.size());
        for (std::size_t sector = 0; sector < bytes.size(); sector += 512) {
            if (random_() % 2 == 0) {
                bytes.replace(sector, 512, heads_before_, sector, 512);
            }
        }
        std::ofstream(path, std::ios::binary) << bytes;
    }

    void step()
    {
        switch (random_() % 16) {
            case 0:
                outbox_->checkpoint();
                break;
            case 1:
                receive();
                break;
            case 2: {
                heads_before_ = file_bytes(state_ + "/heads");
                outbox_->write_heads();
                look();
                heads_before_.clear();
                break;
            }
            case 3:
                stop_and_start();
                break;
            case 4:
                outbox_->salvage();
                break;
            default:
                commit();
        }
    }
    void commit()
    {
        if (!is_heavy_) {
            truth_.commit(*outbox_, random_);
            return;
        }
        auto batch = pending(0);
        for (int i = 0; i < 20; ++i) {  // 100 KB: the WAL is soon to be moved
            std::string text(5000, '\0');
            std::ranges::generate(text, [this] { return static_cast<char>(random_()); });
            batch.readings.push_back({{1, 1}, batch.opened, Value::of_text(text), {}, {}, {}});
        }
        truth_.commit(*outbox_, {{std::move(batch)}, {}});
        outbox_->checkpoint();
    }
    void receive()
    {
        for (const auto& row : outbox_->read(Lane::telemetry, 0, 0, 1)) {
            truth_.receive(*outbox_, row.epoch, row.lane, row.range(), row.tombstone);
        }
    }
    void stop_and_start()
    {
        outbox_->close_epoch(moment());
        outbox_.reset();
        if (!was_cut_ && !evicts_ &&
            random_() % 4 == 0) {  // and is set aside, so that its rows are salvaged
            disk_.settle();
            for (const auto& folder : fs::directory_iterator(state_ + "/store")) {
                const auto path = folder.path().string() + "/outbox.db";
                fs::remove(path + "-wal");
                std::fstream(path, std::ios::in | std::ios::out | std::ios::binary)
                    << std::string(100, '\0');
            }
            ++salvages_;
        }
        start();
    }

    /// What the cut left opens, tells of its end, and holds all that was durable.
    void judge()
    {
        SCOPED_TRACE("state " + std::to_string(states_));
        disk_.settle();
        state_ = after_cut();
        cut_after_ = SIZE_MAX;
        start();
        for (const auto& event : outbox_->take_events()) {
            const bool is_expected = evicts_ && event.code == "store-full";
            EXPECT_TRUE(is_expected || salvages_ > 0 || event.severity != Severity::error)
                << event.text;
        }
        EXPECT_TRUE(open_epochs().empty());
        EXPECT_EQ(told_ends(), was_open_.size());
        while (outbox_->salvage().next == SalvageStep::Next::at_once) {
        }
        truth_.expect_complete(*outbox_);
        EXPECT_TRUE(evicts_ || truth_.lost == 0) << truth_.lost << " readings were durable";
        truth_.commit(*outbox_, random_);
        outbox_.reset();
        disk_.settle();
    }
    /// How many of the epochs that the cut ended are told to have ended without a stop.
    std::size_t told_ends()
    {
        std::size_t told = 0;
        for (const auto& row : outbox_->read(Lane::control, outbox_->epoch_number(), 0, 1)) {
            const auto batch = decode(*row.bytes);
            for (const auto& reading : std::get<std::vector<Reading>>(batch->content)) {
                const auto text = reading.value.text();
                const bool is_end = text.find("epoch_closed") != std::string::npos;
                told += is_end && std::ranges::any_of(was_open_, [&](const EpochId& id) {
                            return text.find(id.hex()) != std::string::npos;
                        });
            }
        }
        return told;
    }

    const TemporaryDirectory folder_;
    FaultyDisk disk_;
    std::mt19937_64 random_;
    StoreTruth truth_, truth_then_;
    std::unique_ptr<Outbox> outbox_;
    std::string state_, heads_before_;
    std::vector<EpochId> was_open_;
    bool evicts_ = false, is_heavy_ = false, was_cut_ = false;
    std::size_t cut_after_ = 0;
    unsigned states_ = 0, salvages_ = 0;
};

TEST(States, P4_S19_S20_WhateverAPowerCutLeavesOpensAndHoldsEveryCommitThatReturned)
{
    for_seeds(4, {31019}, [](std::uint64_t seed) {
        History history(seed);
        for (auto lives = 1 + seed % 3; lives > 0 && !testing::Test::HasFailure(); --lives) {
            history.life();
        }
        print(history.line(), seed);
    });
}

/// Three days of readings in a store that holds a part of them.
class FullStore {
public:
    explicit FullStore(std::uint64_t seed) : random_(seed)
    {
        OutboxSettings settings{folder_.path() + "/state", "place-1714000.box-0001",
                                example_header().boot};
        settings.budget_bytes = 300'000 + random_() % 500'000;
        for (const auto lane : sacrifice) {
            settings.policy[index_of(lane)] = static_cast<Policy>(random_() % 3);
            most_readings_[index_of(lane)] = 1 + random_() % 250;
        }
        most_readings_[index_of(sacrifice[random_() % sacrifice.size()])] = 250;
        settings_ = settings;
        outbox_ = std::make_unique<Outbox>(settings);
        outbox_->announce_epochs(moment());
    }

    void three_days()
    {
        constexpr int commits = 600;
        for (int i = 0; i < commits; ++i) {
            const auto before = lost();
            truth_.commit(*outbox_, next(std::chrono::hours(72) * i / commits));
            expect_order(before);
            EXPECT_LE(outbox_->use().used_bytes, settings_.budget_bytes + 100'000);
        }
        truth_.expect_complete(*outbox_);
        EXPECT_GT(truth_.lost, 0U);
        EXPECT_EQ(lost()[index_of(Lane::alarm)], 0U);
        EXPECT_EQ(lost()[index_of(Lane::control)], 0U);
    }
    json::object line()
    {
        json::object declared;
        json::object policies;
        for (const auto lane : all_lanes) {
            declared[to_string(lane)] = lost()[index_of(lane)];
            policies[to_string(lane)] = static_cast<int>(settings_.policy[index_of(lane)]);
        }
        return {{"budget", settings_.budget_bytes},
                {"durable", truth_.readings()},
                {"declared", truth_.lost},
                {"by_lane", declared},
                {"policy", policies}};
    }

private:
    PerLane<std::uint64_t> lost()
    {
        PerLane<std::uint64_t> found{};
        for (const auto lane : all_lanes) {
            found[index_of(lane)] = outbox_->epochs().back().lanes[index_of(lane)].tombstoned;
        }
        return found;
    }
    Commit next(std::chrono::milliseconds since)
    {
        Commit work;
        for (const auto lane : {Lane::diagnostic, Lane::telemetry, Lane::billing, Lane::alarm}) {
            if (lane == Lane::alarm && random_() % 20 != 0) {
                continue;
            }
            auto batch = pending(0, lane);
            batch.opened += since;
            batch.clock.wall += since;
            const auto most = lane == Lane::alarm ? 3 : most_readings_[index_of(lane)];
            batch.readings = random_readings(random_, 1 + random_() % most, batch.opened);
            work.batches.push_back(batch);
        }
        return work;
    }
    std::uint64_t held_bytes(Lane lane)
    {
        std::uint64_t total = 0;
        for (const auto& row : outbox_->read(lane, 0, 0, SIZE_MAX)) {
            total += row.tombstone ? 0 : row.bytes->size();
        }
        return total;
    }
    /// No lane loses readings while one that goes before it holds more than its share.
    void expect_order(const PerLane<std::uint64_t>& before)
    {
        if (random_() % 16 != 0) {
            return;
        }
        const auto now = lost();
        for (std::size_t i = 1; i < sacrifice.size(); ++i) {
            const auto lane = index_of(sacrifice[i]);
            if (now[lane] == before[lane]) {
                continue;
            }
            for (std::size_t earlier = 0; earlier < i; ++earlier) {
                const auto other = sacrifice[earlier];
                const auto share =
                    settings_.budget_bytes / 100 * settings_.share_percent[index_of(other)];
                EXPECT_LE(held_bytes(other), share) << to_string(other);
            }
        }
    }

    static constexpr std::array sacrifice{Lane::diagnostic, Lane::telemetry, Lane::billing};
    const TemporaryDirectory folder_;
    OutboxSettings settings_;
    std::mt19937_64 random_;
    PerLane<std::uint64_t> most_readings_{};
    StoreTruth truth_;
    std::unique_ptr<Outbox> outbox_;
};

TEST(States, F16_ThreeDaysInAStoreTooSmallAreDeclaredAndAlarmsAreComplete)
{
    for_seeds(1, {}, [](std::uint64_t seed) {
        FullStore store(seed);
        store.three_days();
        print(store.line(), seed);
    });
}

}  // namespace
}  // namespace gateway
