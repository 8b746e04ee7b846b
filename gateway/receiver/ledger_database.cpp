#include "gateway/receiver/ledger_database.hpp"

#include <filesystem>

namespace gateway {

namespace {

constexpr auto schema = R"(
CREATE TABLE IF NOT EXISTS output(only INTEGER PRIMARY KEY CHECK(only = 1), path TEXT NOT NULL,
    offset INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS box(box TEXT PRIMARY KEY, org TEXT NOT NULL, current BLOB) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS epoch(number INTEGER PRIMARY KEY, box TEXT NOT NULL, epoch BLOB NOT NULL,
    closed INTEGER NOT NULL, listed INTEGER NOT NULL, UNIQUE(box, epoch));
CREATE TABLE IF NOT EXISTS lane(epoch INTEGER NOT NULL, lane INTEGER NOT NULL, data BLOB NOT NULL,
    lost BLOB NOT NULL, forgone BLOB NOT NULL, head INTEGER NOT NULL, count INTEGER NOT NULL,
    sum INTEGER NOT NULL, cut INTEGER NOT NULL, manifest_head INTEGER, manifest_count INTEGER,
    manifest_sum INTEGER, manifest_tombstoned INTEGER, manifest_queued INTEGER,
    PRIMARY KEY(epoch, lane)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS piece(epoch INTEGER NOT NULL, lane INTEGER NOT NULL,
    last INTEGER NOT NULL, first INTEGER NOT NULL, sum INTEGER NOT NULL,
    PRIMARY KEY(epoch, lane, last)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS gap(epoch INTEGER NOT NULL, lane INTEGER NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY(epoch, lane, first)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dictionary(box TEXT NOT NULL, hash INTEGER NOT NULL,
    bytes BLOB NOT NULL, PRIMARY KEY(box, hash));
CREATE TABLE IF NOT EXISTS boot(box TEXT NOT NULL, boot BLOB NOT NULL, wall_minus_boot_ms INTEGER,
    undated INTEGER NOT NULL, PRIMARY KEY(box, boot)) WITHOUT ROWID;
PRAGMA user_version = 1;
)";

std::string prepared(const std::string& directory)
{
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) {
        throw StoreError(directory + ": " + error.message());
    }
    return directory + "/receiver.db";
}

sqlite::Connection opened(const std::string& directory)
{
    sqlite::Connection connection(prepared(directory));
    try {
        connection.set_pragma("locking_mode", "exclusive");
        connection.set_pragma("journal_mode", "wal");
    } catch (const StoreError&) {
        throw StoreError(directory + ": in use by another smart-receiver");
    }
    connection.set_pragma("synchronous", "2");
    const auto version = connection.pragma("user_version");
    if (version != "0" && version != "1") {
        throw StoreError(directory + ": written by a newer smart-receiver");
    }
    connection.execute(std::string("BEGIN IMMEDIATE;") + schema + "COMMIT;");
    return connection;
}

}  // namespace

LedgerState::Database::Database(const std::string& directory) : connection(opened(directory)) {}

}  // namespace gateway
