#pragma once

#include <stdexcept>
#include <string>

namespace gateway {

/// The store cannot be used: another instance, a failed sync, damage. The text says what and where.
class StoreError : public std::runtime_error {
public:
    explicit StoreError(const std::string& text, int code = 0)
        : std::runtime_error(text), code_(code)
    {
    }

    /// What was read cannot be what was written.
    static StoreError damaged(const std::string& text);

    /// It cannot be opened now; nothing is known to be wrong with what it holds.
    static StoreError unavailable(const std::string& text);

    /// SQLite's extended result code; 0 when SQLite is not the cause.
    int code() const { return code_; }
    bool is_no_space() const;  ///< SQLITE_FULL: the disk or the budget
    /// A failed read, write or sync, or damage: the file is not to be relied on any more.
    bool condemns() const;
    /// SQLite does not understand a statement of ours: the schema is not the one that we made.
    bool is_other_schema() const;
    /// The store cannot be used, now or for good; false for a full one, which can, and for what is
    /// not a failure of the store.
    bool ends_use() const;

private:
    int code_;
};

}  // namespace gateway
