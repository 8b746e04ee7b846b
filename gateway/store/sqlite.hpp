#pragma once

#include "gateway/core/ids.hpp"
#include "gateway/store/store_error.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace gateway::sqlite {

/// One connection to a database file, created when absent. Used by one thread at a time; every
/// failure of SQLite throws StoreError with its code and text.
class Connection {
public:
    explicit Connection(const std::string& path);

    /// One or more statements that give no rows.
    void execute(const std::string& sql) const;
    /// What `PRAGMA name` answers, as text; empty when it answers nothing.
    std::string pragma(const std::string& name);
    /// Sets a pragma, then reads it back: throws StoreError unless it says `value`.
    void set_pragma(const std::string& name, const std::string& value);

    std::int64_t changes() const;  ///< rows changed by the last statement
    sqlite3* handle() const { return database_.get(); }

private:
    struct Close {
        void operator()(sqlite3* database) const;
    };
    std::unique_ptr<sqlite3, Close> database_;
};

/// A prepared statement, kept for the life of its connection.
class Statement {
public:
    Statement(Connection& connection, std::string_view sql);

    /// One execution; its end resets the statement, so no read outlives its job.
    class Run {
    public:
        explicit Run(sqlite3_stmt* statement) : statement_(statement) {}
        Run(const Run&) = delete;
        Run& operator=(const Run&) = delete;
        ~Run();

        /// Steps to the next row; false after the last.
        bool next();
        std::int64_t integer(int column) const;
        std::uint64_t number(int column) const
        {
            return static_cast<std::uint64_t>(integer(column));
        }
        bool is_null(int column) const;
        /// These live until the next step.
        ByteView blob(int column) const;
        std::string_view text(int column) const;

    private:
        sqlite3_stmt* statement_;
    };

    /// Binds `values` in order and begins. The values are lent until the run ends.
    template <typename... Values>
    [[nodiscard]] Run run(const Values&... values)
    {
        int position = 0;
        (bind(++position, values), ...);
        return Run(statement_.get());
    }

    /// Binds and runs to the end.
    template <typename... Values>
    void execute(const Values&... values)
    {
        auto rows = run(values...);
        while (rows.next()) {
        }
    }

private:
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const;
    };

    template <std::integral T>
    void bind(int position, T value)
    {
        bind_integer(position, static_cast<std::int64_t>(value));
    }
    void bind(int position, std::string_view text);
    void bind(int position, ByteView blob);
    void bind(int position, std::nullptr_t);
    template <typename T>
    void bind(int position, const std::optional<T>& value)
    {
        if (value) {
            bind(position, *value);
        } else {
            bind(position, nullptr);
        }
    }
    void bind_integer(int position, std::int64_t value);

    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// Begun on construction, rolled back on destruction unless committed.
class Transaction {
public:
    explicit Transaction(Connection& connection);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    void commit();

private:
    Connection& connection_;
    bool open_ = true;
};

}  // namespace gateway::sqlite
