#include "gateway/store/sqlite.hpp"

#include "gateway/core/defect.hpp"

#include <sqlite3.h>

namespace gateway {

StoreError StoreError::damaged(const std::string& text)
{
    return StoreError(text, SQLITE_CORRUPT);
}

StoreError StoreError::unavailable(const std::string& text)
{
    return StoreError(text, SQLITE_CANTOPEN);
}

bool StoreError::condemns() const
{
    const auto primary = code_ & 0xFF;
    return (primary == SQLITE_IOERR && code_ != SQLITE_IOERR_NOMEM) || primary == SQLITE_CORRUPT ||
           primary == SQLITE_NOTADB;
}

bool StoreError::is_other_schema() const
{
    return code_ == SQLITE_ERROR;
}

bool StoreError::ends_use() const
{
    switch (code_ & 0xFF) {
        case SQLITE_OK:
        case SQLITE_FULL:
        case SQLITE_NOMEM:
        case SQLITE_MISUSE:
        case SQLITE_ERROR:
            return false;
        default:
            return code_ != SQLITE_IOERR_NOMEM;
    }
}

bool StoreError::is_no_space() const
{
    return (code_ & 0xFF) == SQLITE_FULL;
}

namespace sqlite {

namespace {

[[noreturn]] void fail(sqlite3* database, const std::string& doing)
{
    const auto* path = sqlite3_db_filename(database, "main");
    throw StoreError(std::string(path == nullptr ? "store" : path) + ": " + doing + ": " +
                         sqlite3_errmsg(database),
                     sqlite3_extended_errcode(database));
}

void check(int code, sqlite3_stmt* statement)
{
    if (code != SQLITE_OK) {
        fail(sqlite3_db_handle(statement), sqlite3_sql(statement));
    }
}

}  // namespace

Connection::Connection(const std::string& path)
{
    sqlite3* opened = nullptr;
    // No mutex: a connection is used by one thread at a time.
    const auto code =
        sqlite3_open_v2(path.c_str(), &opened,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    database_.reset(opened);
    if (code != SQLITE_OK) {
        throw StoreError(path + ": " + sqlite3_errstr(code), code);
    }
    if (sqlite3_db_readonly(opened, "main") == 1) {  // it would fail later, as if it were damaged
        throw StoreError(path + ": can only be read", SQLITE_READONLY);
    }
    sqlite3_extended_result_codes(opened, 1);
}

void Connection::Close::operator()(sqlite3* database) const
{
    sqlite3_close_v2(database);
}

void Connection::execute(const std::string& sql) const
{
    if (sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
        fail(handle(), sql);
    }
}

std::string Connection::pragma(const std::string& name)
{
    Statement statement(*this, "PRAGMA " + name);
    auto rows = statement.run();
    return rows.next() ? std::string(rows.text(0)) : std::string();
}

void Connection::set_pragma(const std::string& name, const std::string& value)
{
    execute("PRAGMA " + name + " = " + value);
    if (const auto got = pragma(name); got != value) {
        throw StoreError("PRAGMA " + name + " is " + got + " and will not become " + value);
    }
}

std::int64_t Connection::changes() const
{
    return sqlite3_changes64(handle());
}

Statement::Statement(Connection& connection, std::string_view sql)
{
    sqlite3_stmt* prepared = nullptr;
    if (sqlite3_prepare_v3(connection.handle(), sql.data(), static_cast<int>(sql.size()),
                           SQLITE_PREPARE_PERSISTENT, &prepared, nullptr) != SQLITE_OK) {
        fail(connection.handle(), std::string(sql));
    }
    statement_.reset(prepared);
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const
{
    sqlite3_finalize(statement);
}

void Statement::bind_integer(int position, std::int64_t value)
{
    check(sqlite3_bind_int64(statement_.get(), position, value), statement_.get());
}

void Statement::bind(int position, std::string_view text)
{
    check(sqlite3_bind_text64(statement_.get(), position, text.data(), text.size(), SQLITE_STATIC,
                              SQLITE_UTF8),
          statement_.get());
}

void Statement::bind(int position, ByteView blob)
{
    // A null pointer would bind NULL instead of an empty blob.
    constexpr std::uint8_t nothing = 0;
    check(sqlite3_bind_blob64(statement_.get(), position, blob.empty() ? &nothing : blob.data(),
                              blob.size(), SQLITE_STATIC),
          statement_.get());
}

void Statement::bind(int position, std::nullptr_t)
{
    check(sqlite3_bind_null(statement_.get(), position), statement_.get());
}

Statement::Run::~Run()
{
    sqlite3_reset(statement_);
}

bool Statement::Run::next()
{
    const auto code = sqlite3_step(statement_);
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        fail(sqlite3_db_handle(statement_), sqlite3_sql(statement_));
    }
    return code == SQLITE_ROW;
}

std::int64_t Statement::Run::integer(int column) const
{
    return sqlite3_column_int64(statement_, column);
}

bool Statement::Run::is_null(int column) const
{
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

ByteView Statement::Run::blob(int column) const
{
    const auto* data = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::string_view Statement::Run::text(int column) const
{
    const auto* data = sqlite3_column_text(statement_, column);
    return {reinterpret_cast<const char*>(data),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

Transaction::Transaction(Connection& connection) : connection_(connection)
{
    if (planted(Defect::told_before_commit) && sqlite3_get_autocommit(connection_.handle()) == 0) {
        connection_.execute("COMMIT");
    }
    connection_.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction()
{
    // Some failures have rolled back already; then there is nothing left to roll back.
    if (open_ && sqlite3_get_autocommit(connection_.handle()) == 0) {
        sqlite3_exec(connection_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
    }
}

void Transaction::commit()
{
    if (!planted(Defect::told_before_commit)) {
        connection_.execute("COMMIT");
    }
    open_ = false;
}

}  // namespace sqlite

}  // namespace gateway
