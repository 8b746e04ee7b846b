#include "gateway/store/store_reader.hpp"
#include "gateway/store/survey.hpp"
#include "tests/unit/store/outbox_fixture.hpp"

#include <algorithm>
#include <filesystem>

namespace gateway {
namespace {

namespace fs = std::filesystem;

class ReaderTest : public OutboxTest {
protected:
    std::string state() { return settings().directory; }
    std::string database(unsigned number = 1)
    {
        return state() + "/store/" + std::to_string(number) + "/outbox.db";
    }

    /// 30 telemetry readings in three rows, the first row confirmed, and 4 alarms.
    void fill()
    {
        for (int i = 0; i < 3; ++i) {
            outbox().commit({.batches = {pending(10)}, .slots = {}});
        }
        outbox().commit({.batches = {pending(4, Lane::alarm)}, .slots = {}});
        outbox().put_dictionary(11, "dictionary");
        outbox().apply_receipt(outbox().epoch(), Lane::telemetry, {{1, 15}});
        outbox().commit({.batches = {pending(1, Lane::billing)}, .slots = {}});
        outbox().write_heads();
        epoch_ = outbox().epoch();
    }

    StoreSurvey look(bool whole = true)
    {
        StoreReader reader(state());
        return survey(reader, whole, [](std::uint64_t) {});
    }
    const LaneSurvey& lane(const StoreSurvey& survey, Lane lane)
    {
        return survey.epochs.at(epoch_).lanes.at(lane);
    }

    EpochId epoch_;
};

TEST_F(ReaderTest, CountsWhatIsHeldAndWhatIsNotConfirmed)
{
    fill();
    close();
    const auto found = look();
    EXPECT_EQ(found.mistakes, std::vector<std::string>());
    EXPECT_EQ(lane(found, Lane::telemetry).readings, 20U);  // the first row has left
    EXPECT_EQ(lane(found, Lane::telemetry).unconfirmed, 15U);
    EXPECT_EQ(lane(found, Lane::telemetry).head, 30U);
    EXPECT_EQ(lane(found, Lane::alarm).unconfirmed, 4U);
    EXPECT_EQ(found.boxes, std::set<std::string>{"place-1714000.box-0001"});
    EXPECT_EQ(found.missing, 0U);
    ASSERT_TRUE(lane(found, Lane::alarm).oldest);
    EXPECT_EQ(*lane(found, Lane::alarm).oldest, example_header().clock.wall);
}

TEST_F(ReaderTest, ReadsWhatAKilledProcessLeftInTheWalAndWritesNothing)
{
    fill();
    const fs::path copy = state() + "-card";
    fs::copy(state(), copy, fs::copy_options::recursive);  // as the power cut leaves it
    close();
    fs::remove(copy / "lock");
    std::map<std::string, std::string> before;
    for (const auto& entry : fs::recursive_directory_iterator(copy)) {
        if (entry.is_regular_file()) {
            before[entry.path()] = file_bytes(entry.path());
        }
    }
    StoreReader reader(copy.string());
    const auto found = survey(reader, true, [](std::uint64_t) {});
    EXPECT_EQ(found.readings, 25U);
    EXPECT_EQ(found.mistakes, std::vector<std::string>());
    std::size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(copy)) {
        if (entry.is_regular_file()) {
            ++files;
            EXPECT_EQ(before[entry.path()], file_bytes(entry.path())) << entry.path();
        }
    }
    EXPECT_EQ(files, before.size());
    fs::remove_all(copy);
}

TEST_F(ReaderTest, ADamagedRowIsNamedAndTheRestIsThere)
{
    fill();
    close();
    {
        sqlite::Connection connection(database());
        connection.execute(
            "UPDATE telemetry SET bytes = zeroblob(length(bytes)) WHERE id = (SELECT "
            "min(id) FROM telemetry)");
    }
    const auto found = look();
    EXPECT_EQ(found.damaged_rows, 1U);
    EXPECT_EQ(found.readings, 15U);
    ASSERT_EQ(found.mistakes.size(), 2U);
    EXPECT_NE(found.mistakes[0].find("sequence 11 is damaged"), std::string::npos)
        << found.mistakes[0];
    EXPECT_NE(found.mistakes[1].find("sequences 16 to 20 are missing"), std::string::npos)
        << found.mistakes[1];
}

TEST_F(ReaderTest, ARowThatIsGoneIsMissing)
{
    fill();
    close();
    {
        sqlite::Connection connection(database());
        connection.execute("DELETE FROM telemetry WHERE id = (SELECT max(id) FROM telemetry)");
    }
    const auto found = look();
    EXPECT_EQ(found.missing, 10U);
    EXPECT_EQ(lane(found, Lane::telemetry).missing, (std::vector<Range>{{21, 30}}));
}

TEST_F(ReaderTest, AStoreInUseIsNotLookedAt)
{
    fill();
    try {
        StoreReader reader(state());
        FAIL() << "it must be refused";
    } catch (const StoreError& error) {
        EXPECT_NE(std::string(error.what()).find("in use by process"), std::string::npos);
    }
}

TEST_F(ReaderTest, TheRootOfACardIsEnoughAndAFolderWithoutAStoreIsNot)
{
    fill();
    close();
    const TemporaryDirectory card;
    EXPECT_THROW(StoreReader reader(card.path()), StoreError);
    fs::create_directories(card.path() + "/var/lib");
    fs::copy(state(), card.path() + "/var/lib/smart-gateway", fs::copy_options::recursive);
    StoreReader reader(card.path());
    EXPECT_EQ(survey(reader, true, [](std::uint64_t) {}).readings, 25U);
}

TEST_F(ReaderTest, GarbageIsNoStoreAndNoCrash)
{
    fill();
    close();
    for (const auto* text : {"", "not a database at all", "SQLite format 3"}) {
        {
            std::ofstream file(database(), std::ios::binary | std::ios::trunc);
            file << text << std::string(text[0] == 'S' ? 100'000 : 10, '\xFF');
        }
        fs::remove(database() + "-wal");
        const auto found = look();
        EXPECT_FALSE(found.mistakes.empty()) << text;
        EXPECT_EQ(found.readings, 0U);
    }
}

}  // namespace
}  // namespace gateway
