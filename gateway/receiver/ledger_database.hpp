#pragma once

#include "gateway/receiver/ledger_state.hpp"
#include "gateway/store/sqlite.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace gateway {

/// The tables of a receiver's state and every statement on them.
class LedgerState::Database {
public:
    explicit Database(const std::string& directory);

    /// Begins the transaction of this round at its first change.
    void change()
    {
        if (!transaction) {
            transaction.emplace(connection);
        }
    }

    sqlite::Statement statement(std::string_view sql) { return {connection, sql}; }

    sqlite::Connection connection;
    std::optional<sqlite::Transaction> transaction;

    sqlite::Statement read_output = statement("SELECT path, offset FROM output");
    sqlite::Statement write_output = statement("INSERT OR REPLACE INTO output VALUES(1, ?, ?)");
    sqlite::Statement read_box = statement("SELECT box, org, current FROM box WHERE box = ?");
    sqlite::Statement read_boxes = statement("SELECT box, org, current FROM box ORDER BY box");
    sqlite::Statement write_box = statement("INSERT OR REPLACE INTO box VALUES(?, ?, ?)");
    sqlite::Statement read_epoch =
        statement("SELECT number, epoch, closed, listed FROM epoch WHERE box = ? AND epoch = ?");
    sqlite::Statement read_epochs =
        statement("SELECT number, epoch, closed, listed FROM epoch WHERE box = ? ORDER BY number");
    sqlite::Statement add_epoch =
        statement("INSERT INTO epoch(box, epoch, closed, listed) VALUES(?, ?, 0, 0)");
    sqlite::Statement write_epoch =
        statement("UPDATE epoch SET closed = ?, listed = ? WHERE number = ?");
    sqlite::Statement read_lane = statement(
        "SELECT data, lost, forgone, head, count, sum, cut, manifest_head, manifest_count, "
        "manifest_sum, manifest_tombstoned, manifest_queued FROM lane "
        "WHERE epoch = ? AND lane = ?");
    sqlite::Statement write_lane =
        statement("INSERT OR REPLACE INTO lane VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    sqlite::Statement write_piece = statement(
        "INSERT OR REPLACE INTO piece(epoch, lane, last, first, sum) VALUES(?, ?, ?, ?, ?)");
    sqlite::Statement read_pieces = statement(
        "SELECT first, last, sum FROM piece WHERE epoch = ? AND lane = ? AND last >= ? "
        "ORDER BY last");
    sqlite::Statement drop_pieces =
        statement("DELETE FROM piece WHERE epoch = ? AND lane = ? AND last <= ?");
    sqlite::Statement write_gap = statement("INSERT OR REPLACE INTO gap VALUES(?, ?, ?, ?, ?)");
    sqlite::Statement read_gaps = statement(
        "SELECT first, last, reason FROM gap WHERE epoch = ? AND lane = ? ORDER BY first");
    sqlite::Statement count_dictionaries =
        statement("SELECT count(*) FROM dictionary WHERE box = ?");
    sqlite::Statement write_dictionary =
        statement("INSERT OR IGNORE INTO dictionary VALUES(?, ?, ?)");
    sqlite::Statement read_dictionary =
        statement("SELECT bytes FROM dictionary WHERE box = ? AND hash = ?");
    sqlite::Statement read_boot =
        statement("SELECT wall_minus_boot_ms, undated FROM boot WHERE box = ? AND boot = ?");
    sqlite::Statement write_boot = statement("INSERT OR REPLACE INTO boot VALUES(?, ?, ?, ?)");
};

}  // namespace gateway
