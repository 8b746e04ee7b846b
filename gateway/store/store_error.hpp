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

    /// SQLite's extended result code; 0 when SQLite is not the cause.
    int code() const { return code_; }
    bool is_no_space() const;  ///< SQLITE_FULL: the disk or the budget

private:
    int code_;
};

}  // namespace gateway
