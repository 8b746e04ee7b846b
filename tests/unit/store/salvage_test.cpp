#include "gateway/core/digest.hpp"
#include "gateway/store/store_image.hpp"
#include "tests/unit/store/store_truth.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace gateway {
namespace {

namespace fs = std::filesystem;

/// How many random damages are tried: a few in the check, as many as wanted by hand.
int rounds(int usual)
{
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing in this process changes the environment
    const char* wanted = std::getenv("STORE_DAMAGES");
    return wanted == nullptr ? usual : std::atoi(wanted);
}

constexpr std::size_t wal_header_bytes = 32;
constexpr std::size_t frame_bytes = 24 + 1024;

class SalvageTest : public OutboxTest {
protected:
    std::string database(unsigned number = 1) const
    {
        return state_ + "/store/" + std::to_string(number) + "/outbox.db";
    }

    /// Three epochs, some of it delivered, one row declared lost; stopped without a checkpoint.
    void fill(std::uint64_t seed)
    {
        state_ = settings().directory;
        random_.seed(seed);
        for (int run = 0; run < 3; ++run) {
            reopen();
            outbox().announce_epochs(moment());
            for (const DictionaryHash hash : {11U, 22U, 33U, 44U}) {
                outbox().put_dictionary(hash, "dictionary " + std::to_string(hash));
            }
            for (int i = 0; i < 15; ++i) {
                truth_.commit(outbox(), random_);
                if (i == 10) {
                    const auto rows = outbox().read(Lane::telemetry, outbox().epoch_number(), 0, 1);
                    truth_.receive(outbox(), outbox().epoch(), Lane::telemetry, rows[0].range());
                }
            }
            outbox().write_heads();
        }
        outbox().set_state("first_start", "2026-08-01T10:00:00Z");
        close();
        wal_kept_ = fs::path(database()).string() + "-wal";
    }

    void fill_anew(std::uint64_t seed)
    {
        fs::remove_all(settings().directory);
        truth_ = {};
        fill(seed);
    }

    /// Where the WAL that is kept ends: what lies behind is of an earlier one.
    std::size_t wal_end() const
    {
        const auto file = file_bytes(wal_kept_);
        auto end = wal_header_bytes;
        while (file.compare(end + 8, 8, file, 16, 8) == 0) {
            end += frame_bytes;
        }
        return end;
    }

    void flip_bit(const std::string& path, std::uint64_t at)
    {
        const auto byte = file_bytes(path)[at];
        overwrite(path, at, std::string(1, static_cast<char>(byte ^ (1 << random_() % 8))));
    }
    void overwrite(const std::string& path, std::uint64_t at, const std::string& bytes)
    {
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(static_cast<std::streamoff>(at));
        file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    }
    /// The WAL may hold page 1 too.
    void destroy_header()
    {
        overwrite(database(), 0, std::string(100, '\0'));
        fs::remove(database() + "-wal");
    }
    /// Of telemetry of the first epoch; and the header. The row that was.
    StoredBatch destroy_a_row()
    {
        auto row = outbox().read(Lane::telemetry, 1, 300, 1).at(0);
        close();
        const auto at =
            file_bytes(database()).find(std::string(row.bytes->begin(), row.bytes->end()));
        EXPECT_NE(at, std::string::npos);
        overwrite(database(), at, noise_of(60));
        destroy_header();
        return row;
    }
    std::string noise_of(std::size_t size)
    {
        std::string bytes(size, '\0');
        std::ranges::generate(bytes, [this] { return static_cast<char>(random_()); });
        return bytes;
    }

    /// Starts, measures, and lets salvage come to its end.
    void start_and_salvage()
    {
        const auto begin = std::chrono::steady_clock::now();
        outbox().announce_epochs(moment());
        truth_.commit(outbox(), random_);
        EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
        salvage();
    }
    void salvage()
    {
        for (int i = 0; i < 100'000; ++i) {
            const auto step = outbox().salvage();
            if (step.next == SalvageStep::Next::none) {
                return;
            }
            ASSERT_NE(step.next, SalvageStep::Next::later);
        }
        FAIL() << "salvage does not end";
    }
    /// Finds what the start could not.
    void read_everything()
    {
        for (const auto lane : all_lanes) {
            all_rows(lane);
            if (!outbox().is_usable()) {
                ASSERT_TRUE(outbox().open());
                outbox().announce_epochs(moment());
                salvage();
            }
        }
    }
    bool was_set_aside() const { return fs::exists(database(2)); }
    std::vector<std::string> codes()
    {
        std::vector<std::string> found;
        for (const auto& event : outbox().take_events()) {
            found.push_back(event.code);
        }
        return found;
    }

    std::mt19937_64 random_;
    StoreTruth truth_;
    std::string state_;
    std::string wal_kept_;
};

TEST_F(SalvageTest, S21_AStoreWithoutItsHeaderIsSetAsideAndEveryRowComesOver)
{
    fill(1);
    destroy_header();
    const auto before = file_bytes(database());
    start_and_salvage();
    EXPECT_EQ(codes(), (std::vector<std::string>{"store-damaged", "store-salvaged"}));
    truth_.expect_complete(outbox());
    EXPECT_EQ(truth_.lost, 0U);
    EXPECT_EQ(outbox().state("first_start"), "2026-08-01T10:00:00Z");
    EXPECT_EQ(outbox().dictionary(33), "dictionary 33");
    EXPECT_FALSE(fs::exists(database(1)));  // nothing is left in it
    reopen();
    truth_.expect_complete(outbox());
}

TEST_F(SalvageTest, S21_WhatIsNotADatabaseIsSetAside)
{
    fill(2);
    overwrite(database(), 0, noise_of(fs::file_size(database())));
    fs::remove(wal_kept_);
    start_and_salvage();
    truth_.expect_complete(outbox(), false);
    EXPECT_TRUE(was_set_aside());
    EXPECT_GT(truth_.lost, 0U);
}

TEST_F(SalvageTest, F10_AStoreWhoseColumnsHaveOtherNamesIsSetAside)
{
    fill(3);
    const auto file = file_bytes(database());
    for (auto at = file.find("tally"); at != std::string::npos; at = file.find("tally", at + 1)) {
        overwrite(database(), at, "tilly");
    }
    start_and_salvage();
    EXPECT_TRUE(was_set_aside());
    truth_.expect_complete(outbox());
    EXPECT_EQ(truth_.lost, 0U);
}

TEST_F(SalvageTest, F12_ATruncatedStoreGivesWhatIsLeft)
{
    fill(3);
    fs::resize_file(database(), fs::file_size(database()) / 2);
    start_and_salvage();
    truth_.expect_complete(outbox(), false);
}

TEST_F(SalvageTest, F12_AnOlderStoreUnderNewerHeadsIsSetAsideAndTheRestIsStoreLost)
{
    fill(4);
    const auto kept = state_ + "/kept.db";
    fs::copy_file(database(), kept);
    truth_.commit(outbox(), random_);
    outbox().write_heads();
    close();
    fs::copy_file(kept, database(), fs::copy_options::overwrite_existing);
    fs::remove(wal_kept_);
    start_and_salvage();
    EXPECT_TRUE(was_set_aside());
    truth_.expect_complete(outbox(), false);
    EXPECT_GT(truth_.lost, 0U);
    const auto epochs = outbox().epochs();
    bool found = false;
    for (const auto& row : all_rows(Lane::telemetry)) {
        found = found || (row.tombstone && tombstone(row).reason == LossReason::store_lost);
    }
    EXPECT_TRUE(found);
}

TEST_F(SalvageTest, S08_F13_AnOlderImageOfTheStoreUsesNoKeyTwiceAndTheLieIsSeen)
{
    fill(7);
    const auto image = state_ + "-image";
    fs::copy(state_, image, fs::copy_options::recursive);
    outbox().announce_epochs(moment());
    truth_.commit(outbox(), random_);
    const auto unknown = outbox().epoch();
    close();
    fs::remove_all(state_);
    fs::rename(image, state_);  // heads and all
    outbox().announce_epochs(moment());
    truth_.commit(outbox(), random_);
    EXPECT_NE(outbox().epoch(), unknown);
    const auto older = epoch_id(3);
    const auto head = counters_of(3, Lane::telemetry).head;
    EXPECT_EQ(outbox().apply_receipt(older, Lane::telemetry, {{1, head + 5}}).verdict,
              ReceiptVerdict::storage_lied);
    EXPECT_EQ(outbox().apply_receipt(unknown, Lane::telemetry, {{1, 5}}).verdict,
              ReceiptVerdict::unknown_epoch);
}

TEST_F(SalvageTest, S30_ABatchThatCannotBeDecodedHoldsNothingBack)
{
    for (int i = 0; i < 3; ++i) {
        outbox().commit({{pending(10)}, {}});
    }
    close();
    sqlite::Connection(settings().directory + "/store/1/outbox.db")
        .execute("UPDATE telemetry SET bytes = x'00112233' WHERE id & 0xFFFFFFFF = 11");
    const auto rows = all_rows(Lane::telemetry);
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_TRUE(rows[1].tombstone);
    EXPECT_EQ(tombstone(rows[1]).reason, LossReason::damaged);
    EXPECT_FALSE(rows[2].tombstone);
}

TEST_F(SalvageTest, S18_F11_APageOverwrittenAnywhereLosesAtMostItsRows)
{
    const int runs = rounds(4);
    for (int run = 0; run < runs; ++run) {
        SCOPED_TRACE(run);
        fill_anew(100 + static_cast<std::uint64_t>(run));
        const auto pages = fs::file_size(database()) / 1024;
        const auto bytes = run % 2 == 0 ? std::string(1024, '\0') : noise_of(1024);
        const auto page = run < 2 ? static_cast<std::uint64_t>(run) : random_() % pages;
        overwrite(database(), page * 1024, bytes);
        start_and_salvage();
        read_everything();
        truth_.expect_complete(outbox(), false);
        EXPECT_LE(truth_.lost, truth_.readings() / 20);
        close();
    }
}

TEST_F(SalvageTest, F10_FlippedBitsAreFoundAndOnlyTheirRowsAreLost)
{
    const int runs = rounds(6);
    for (int run = 0; run < runs; ++run) {
        SCOPED_TRACE(run);
        fill_anew(1000 + static_cast<std::uint64_t>(run));
        const auto size = fs::file_size(database());
        const auto flips = 1 + random_() % 8;
        for (std::uint64_t i = 0; i < flips; ++i) {
            flip_bit(database(), random_() % size);
        }
        start_and_salvage();
        read_everything();
        truth_.expect_complete(outbox(), false);
        EXPECT_LE(truth_.lost, truth_.readings() / 5);
        close();
    }
}

TEST_F(SalvageTest, F10_CommitsThatAFlippedBitCutsOffInTheWalAreNotForgotten)
{
    const int runs = rounds(6);
    for (int run = 0; run < runs; ++run) {
        SCOPED_TRACE(run);
        fill_anew(2000 + static_cast<std::uint64_t>(run));
        fs::remove(state_ + "/heads");  // written each minute, and this box was younger
        auto used = wal_end();
        ASSERT_GT(used, 20 * frame_bytes);
        if (run % 2 == 1) {  // the end of the WAL may be torn
            settings().boot = BootId::random();
            used /= 2;
        }
        // A second one may hit a row and the only record of it.
        flip_bit(wal_kept_, random_() % used);
        start_and_salvage();
        EXPECT_TRUE(was_set_aside());
        read_everything();
        truth_.expect_complete(outbox(), false);
        EXPECT_LE(truth_.lost, truth_.readings() / 5);
        close();
    }
}

TEST_F(SalvageTest, P3_ATornEndOfTheWalIsNoDamageAlsoAtTheStartAfterTheNext)
{
    fill(9);
    const auto file = file_bytes(wal_kept_);
    // The last commit, that of the closed epoch: its first frame did not reach the card.
    auto torn = wal_end() - frame_bytes;
    while (file.substr(torn - frame_bytes + 4, 4) == std::string(4, '\0')) {
        torn -= frame_bytes;
    }
    overwrite(wal_kept_, torn + 24, std::string(100, '\0'));
    settings().boot = BootId::random();
    for (int start = 0; start < 3; ++start) {
        outbox().announce_epochs(moment());
        truth_.commit(outbox(), random_);
        close();
        EXPECT_FALSE(was_set_aside());
    }
    truth_.expect_complete(outbox());
    EXPECT_EQ(truth_.lost, 0U);
}

TEST_F(SalvageTest, ASalvageThatIsInterruptedGoesOn)
{
    fill(5);
    destroy_header();
    for (int i = 0; i < 50 && fs::exists(database(1)); ++i) {
        outbox().announce_epochs(moment());
        outbox().salvage();  // a part of it, then the next start
        outbox().salvage();
        close();
    }
    salvage();
    truth_.expect_complete(outbox());
    EXPECT_EQ(truth_.lost, 0U);
}

TEST_F(SalvageTest, P8_AStoreDamagedBeforeTheOneSalvagedIntoItIsGoneIsSalvagedToo)
{
    fill(8);
    destroy_header();
    const auto first = fs::path(database(1)).parent_path();
    const TemporaryDirectory kept;
    fs::copy(first, kept.path() + "/1");
    start_and_salvage();
    close();
    fs::copy(kept.path() + "/1", first);  // as a cut before its removal leaves it
    overwrite(database(2), 0, std::string(100, '\0'));
    fs::remove(database(2) + "-wal");
    start_and_salvage();
    EXPECT_TRUE(fs::exists(database(3)));
    truth_.expect_complete(outbox());
    EXPECT_EQ(truth_.lost, 0U);
}

TEST_F(SalvageTest, ReceiptsForWhatHasNotComeOverYetAreKept)
{
    fill(6);
    const auto first_epoch = epoch_id(1);
    close();
    destroy_header();
    outbox().announce_epochs(moment());
    truth_.receive(outbox(), first_epoch, Lane::telemetry, {1, 300});
    salvage();
    truth_.expect_complete(outbox());
    for (const auto& row : all_rows(Lane::telemetry)) {
        EXPECT_TRUE(row.epoch != first_epoch || row.range().last > 300);
    }
}

TEST_F(SalvageTest, F10_WhatThePlatformHasAndNoRowTellsOfIsNotCountedAsLost)
{
    fill(6);
    const auto row = destroy_a_row();
    outbox().announce_epochs(moment());
    truth_.receive(outbox(), row.epoch, Lane::telemetry, row.range());
    salvage();
    truth_.expect_complete(outbox(), false);
    EXPECT_EQ(truth_.lost, 0U);
    const auto counters = counters_of(1, Lane::telemetry);
    EXPECT_EQ(counters.tombstoned, 0U);
    EXPECT_EQ(counters.head, counters.count + row.count);
}

TEST_F(SalvageTest, F10_ALossIsToldAlsoWhenTheReceiptForItsReadingsComesLate)
{
    fill(6);
    const auto row = destroy_a_row();
    outbox().announce_epochs(moment());
    salvage();
    truth_.receive(outbox(), row.epoch, Lane::telemetry, row.range());
    const auto held = outbox().read(Lane::telemetry, 1, row.first - 1, 1).at(0);
    EXPECT_TRUE(held.tombstone);
    EXPECT_EQ(held.range(), row.range());
    outbox().note_told(row.epoch, Lane::telemetry, row.range());
    EXPECT_NE(outbox().read(Lane::telemetry, 1, row.first - 1, 1).at(0).first, row.first);
}

TEST_F(SalvageTest, F17_WhatHasNotComeOverYetIsNotToldToBeGone)
{
    fill(6);
    const auto first_epoch = epoch_id(1);
    close();
    destroy_header();
    outbox().announce_epochs(moment());
    const auto first_held = [&] {
        const auto epochs = outbox().epochs();
        return std::ranges::find(epochs, first_epoch, &EpochState::id)
            ->lanes[index_of(Lane::telemetry)]
            .first_held;
    };
    EXPECT_EQ(first_held(), 1U);
    truth_.receive(outbox(), first_epoch, Lane::telemetry, {1, 300});
    EXPECT_EQ(first_held(), 301U);
}

/// While it lives no file can be opened.
class NoDescriptors {
public:
    NoDescriptors()
    {
        getrlimit(RLIMIT_NOFILE, &before_);
        const rlimit none{0, before_.rlim_max};
        setrlimit(RLIMIT_NOFILE, &none);
    }
    NoDescriptors(const NoDescriptors&) = delete;
    NoDescriptors& operator=(const NoDescriptors&) = delete;
    ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
};

TEST_F(SalvageTest, P14_AStoreThatCannotBeOpenedNowWaitsForItsSalvage)
{
    fill(7);
    destroy_header();
    outbox().announce_epochs(moment());
    {
        const NoDescriptors none;
        salvage();
    }
    EXPECT_TRUE(fs::exists(database(1)));
    salvage();
    EXPECT_FALSE(fs::exists(database(1)));
    truth_.expect_complete(outbox());
    EXPECT_EQ(truth_.lost, 0U);
}

TEST_F(SalvageTest, ASalvageGoesInSlices)
{
    state_ = settings().directory;
    for (std::uint64_t i = 0; i < 60; ++i) {
        outbox().commit({{noise(Lane::telemetry, i, 8000)}, {}});
        outbox().checkpoint();
    }
    close();
    destroy_header();
    outbox().announce_epochs(moment());
    unsigned slices = 0;
    auto next = SalvageStep::Next::at_once;
    for (; next == SalvageStep::Next::at_once; ++slices) {
        next = outbox().salvage().next;
        outbox().checkpoint();
    }
    EXPECT_GT(slices, 1U);
    EXPECT_EQ(all_rows(Lane::telemetry).size(), 60U);
}

TEST(StoreImage, RandomBytesAreNeverMoreThanNothing)
{
    const TemporaryDirectory directory;
    std::mt19937_64 random(1);
    for (int run = 0; run < 10; ++run) {
        std::string bytes(64 * 1024, '\0');
        std::ranges::generate(bytes, [&] { return static_cast<char>(random()); });
        for (std::size_t page = 0; page < bytes.size(); page += 1024) {
            bytes[page] = '\x0D';  // a leaf of a table
        }
        const auto path = directory.path() + "/noise.db";
        std::ofstream(path, std::ios::binary) << bytes;
        StoreImage image(path);
        for (std::uint32_t page = 0; page <= image.page_count() + 1; ++page) {
            const auto rows = image.load(page);
            for (std::size_t row = 0; row < rows + 2; ++row) {
                image.columns(row);
                if (const auto record = image.record(row)) {
                    record->blob(6);
                    record->text(1);
                    record->integer(2);
                }
            }
        }
        EXPECT_EQ(image.version(), std::nullopt);
    }
}

}  // namespace
}  // namespace gateway
