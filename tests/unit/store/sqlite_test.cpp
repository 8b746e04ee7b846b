#include "gateway/store/sqlite.hpp"

#include "tests/unit/store/temporary_directory.hpp"

#include <gtest/gtest.h>

namespace gateway::sqlite {
namespace {

class Sqlite : public testing::Test {
protected:
    std::int64_t rows()
    {
        Statement count(connection_, "SELECT count(*) FROM t");
        auto run = count.run();
        run.next();
        return run.integer(0);
    }

    TemporaryDirectory directory_;
    Connection connection_{directory_.path() + "/test.db"};
};

TEST_F(Sqlite, ValuesOfEveryTypeComeBack)
{
    connection_.execute("CREATE TABLE t(a, b, c, d, e)");
    Statement insert(connection_, "INSERT INTO t VALUES (?, ?, ?, ?, ?)");
    const Bytes blob{0, 1, 255};
    insert.execute(0xFFFFFFFFFFFFFFFFU, std::string_view("text"), ByteView(blob), nullptr,
                   ByteView());
    Statement select(connection_, "SELECT * FROM t");
    auto row = select.run();
    ASSERT_TRUE(row.next());
    EXPECT_EQ(row.number(0), 0xFFFFFFFFFFFFFFFFU);
    EXPECT_EQ(row.text(1), "text");
    EXPECT_TRUE(std::ranges::equal(row.blob(2), blob));
    EXPECT_TRUE(row.is_null(3));
    EXPECT_FALSE(row.is_null(4));
    EXPECT_TRUE(row.blob(4).empty());
    EXPECT_FALSE(row.next());
}

TEST_F(Sqlite, ATransactionThatIsNotCommittedIsUndone)
{
    connection_.execute("CREATE TABLE t(a)");
    {
        Transaction transaction(connection_);
        connection_.execute("INSERT INTO t VALUES (1)");
    }
    EXPECT_EQ(rows(), 0);
    Transaction transaction(connection_);
    connection_.execute("INSERT INTO t VALUES (1)");
    transaction.commit();
    EXPECT_EQ(rows(), 1);
}

TEST_F(Sqlite, AReadThatIsNotFinishedEndsWithItsScope)
{
    connection_.execute("CREATE TABLE t(a); INSERT INTO t VALUES (1), (2)");
    Statement select(connection_, "SELECT a FROM t");
    {
        auto row = select.run();
        ASSERT_TRUE(row.next());
    }
    EXPECT_NO_THROW(connection_.execute("DROP TABLE t"));  // fails while a read is open
}

TEST_F(Sqlite, AFailureNamesTheFileAndTheReason)
{
    try {
        connection_.execute("INSERT INTO absent VALUES (1)");
        FAIL();
    } catch (const StoreError& error) {
        EXPECT_NE(std::string(error.what()).find("test.db"), std::string::npos) << error.what();
        EXPECT_NE(std::string(error.what()).find("no such table"), std::string::npos);
        EXPECT_EQ(error.code(), 1);
    }
}

TEST_F(Sqlite, AFullDatabaseIsToldApart)
{
    connection_.execute("CREATE TABLE t(a)");
    connection_.set_pragma("max_page_count", "10");
    try {
        connection_.execute("INSERT INTO t VALUES (zeroblob(1000000))");
        FAIL();
    } catch (const StoreError& error) {
        EXPECT_TRUE(error.is_no_space());
    }
}

TEST_F(Sqlite, APragmaThatDoesNotTakeIsRefused)
{
    connection_.execute("CREATE TABLE t(a)");  // from now on the page size is fixed
    EXPECT_THROW(connection_.set_pragma("page_size", "8192"), StoreError);
}

}  // namespace
}  // namespace gateway::sqlite
