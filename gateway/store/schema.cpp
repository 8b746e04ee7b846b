#include "gateway/store/schema.hpp"

#include "gateway/core/defect.hpp"
#include "gateway/core/lane.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <filesystem>

namespace gateway {

namespace {

constexpr std::uintmax_t wal_bytes = 4 << 20;
/// Above the budget: what alarms and tombstones may take while lower lanes are being evicted.
constexpr std::int64_t headroom_bytes = 4 << 20;

void create_tables(sqlite::Connection& connection)
{
    std::string sql;
    for (const auto lane : all_lanes) {
        // id = epoch number << 40 | first sequence; loss is a reason, or NULL for readings; sum and
        // tally are the row's part of the lane's counters; crc covers all but the bytes, which are
        // a message with a checksum of its own.
        sql += "CREATE TABLE " + std::string(to_string(lane)) +
               "(id INTEGER PRIMARY KEY, count INTEGER NOT NULL, loss INTEGER,"
               " sum INTEGER NOT NULL, tally BLOB, crc INTEGER NOT NULL, bytes BLOB NOT NULL);";
    }
    // Salvage reads these tables without SQLite (salvage.cpp): what it needs has an integer key.
    connection.execute(
        "BEGIN IMMEDIATE;" + sql +
        "CREATE TABLE epoch(number INTEGER PRIMARY KEY, id BLOB NOT NULL, boot BLOB NOT NULL,"
        " stage INTEGER NOT NULL, crc INTEGER NOT NULL);"
        "CREATE TABLE counters(id INTEGER PRIMARY KEY, book BLOB NOT NULL, crc INTEGER NOT NULL);"
        "CREATE TABLE dictionary(hash INTEGER PRIMARY KEY, bytes TEXT NOT NULL,"
        " crc INTEGER NOT NULL);"
        "CREATE TABLE dictionary_use(epoch INTEGER, lane INTEGER, device INTEGER, first INTEGER,"
        " last INTEGER, hash INTEGER NOT NULL, crc INTEGER NOT NULL,"
        " PRIMARY KEY(epoch, lane, device, first)) WITHOUT ROWID;"
        "CREATE TABLE state(id INTEGER PRIMARY KEY, key TEXT NOT NULL, value TEXT NOT NULL,"
        " crc INTEGER NOT NULL);"
        "PRAGMA user_version = " +
        std::to_string(oldest_reader << 16 | schema_version) + "; COMMIT");
}

/// Writes the reserve twice and deletes it: the WAL is then as long as it will ever need to be, and
/// the pages are free in the file. A disk too full for this is served without the reserve.
void grow_ahead(sqlite::Connection& connection, const std::string& path)
{
    std::error_code error;
    const auto size = std::filesystem::file_size(path + "-wal", error);
    if (!error && size >= wal_bytes) {
        return;
    }
    try {
        const auto blob = "zeroblob(" + std::to_string(reserve_bytes) + ")";
        connection.execute(
            "DROP TABLE IF EXISTS reserve;"  // of a start that was cut short
            "CREATE TABLE reserve(bytes BLOB);"
            "INSERT INTO reserve VALUES (" +
            blob +
            ");"
            "UPDATE reserve SET bytes = " +
            blob +
            ";"
            "DROP TABLE reserve");
        checkpoint_passive(connection);
    } catch (const StoreError& failure) {
        if (!failure.is_no_space()) {
            throw;
        }
        connection.execute("DROP TABLE IF EXISTS reserve");
    }
}

}  // namespace

sqlite::Connection open_outbox_file(const std::string& path, std::uint64_t budget_bytes,
                                    bool renew_wal)
{
    sqlite::Connection connection(path);
    connection.execute("PRAGMA page_size = " + std::to_string(store_page_bytes));  // of a new file
    // One process, one connection: no shared memory, and no second connection to meet the
    // WAL-reset defect of SQLite 3.40 with.
    connection.set_pragma("locking_mode", "exclusive");
    connection.set_pragma("auto_vacuum", "0");
    connection.set_pragma("journal_mode", "wal");
    connection.set_pragma("synchronous", planted(Defect::unsynced_commit) ? "1" : "2");
    connection.set_pragma("secure_delete", "0");
    connection.set_pragma("wal_autocheckpoint", "0");
    connection.set_pragma("journal_size_limit", "-1");
    connection.set_pragma("cache_size", "-512");  // KiB
    connection.set_pragma("temp_store", "2");
    connection.set_pragma("trusted_schema", "0");
    int persistent = 1;
    sqlite3_file_control(connection.handle(), "main", SQLITE_FCNTL_PERSIST_WAL, &persistent);
    const auto version = std::stoll(connection.pragma("user_version"));
    if (renew_wal) {
        // A disk too full for it leaves the WAL: a later start may salvage for nothing.
        sqlite3_wal_checkpoint_v2(connection.handle(), nullptr, SQLITE_CHECKPOINT_RESTART, nullptr,
                                  nullptr);
    }
    if (version == 0) {
        create_tables(connection);
    }
    grow_ahead(connection, path);
    const auto page = std::stoll(connection.pragma("page_size"));
    const auto most = (static_cast<std::int64_t>(budget_bytes) + headroom_bytes) / page;
    const auto present = std::stoll(connection.pragma("page_count"));
    connection.set_pragma("max_page_count", std::to_string(std::max<std::int64_t>(most, present)));
    return connection;
}

bool can_read_schema(std::uint32_t user_version)
{
    return (user_version >> 16) <= schema_version;
}

std::int64_t checkpoint_passive(sqlite::Connection& connection)
{
    int in_wal = 0;
    int moved = 0;
    if (sqlite3_wal_checkpoint_v2(connection.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &in_wal,
                                  &moved) != SQLITE_OK) {
        throw StoreError(std::string("checkpoint: ") + sqlite3_errmsg(connection.handle()),
                         sqlite3_extended_errcode(connection.handle()));
    }
    return in_wal - moved;
}

}  // namespace gateway
