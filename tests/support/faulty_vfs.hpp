#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <string>

struct sqlite3_vfs;

namespace gateway::test {

/// A disk that fails when told, between SQLite and the real one. While it lives it is SQLite's
/// default, so every connection opened meanwhile goes through it. It remembers what was written and
/// not synced, and can leave of that what a power cut might: any part, in any order, torn at
/// sectors. One at a time, used by one thread.
class FaultyDisk {
public:
    FaultyDisk();
    ~FaultyDisk();
    FaultyDisk(const FaultyDisk&) = delete;
    FaultyDisk& operator=(const FaultyDisk&) = delete;

    enum class Fault : std::uint8_t {
        none,
        no_space,
        write_error,
        sync_error,
        read_error,
        read_only,  ///< from now on files are opened for reading
    };
    /// The `after`-th call of the fault's kind from now on fails, and all later ones unless `once`.
    void fail(Fault fault, unsigned after = 1, bool once = false);
    void repair() { fail(Fault::none); }
    unsigned calls() const;   ///< writes and syncs so far
    unsigned failed() const;  ///< calls that were made to fail

    /// Called before each sync of a file, so that a test can look at a state in between.
    void before_sync(std::function<void()> look);
    /// Copies the files of `from` to `to` as a power cut at this instant may leave them. Those that
    /// did not come through this disk are copied as they are.
    void cut(const std::string& from, const std::string& to, std::mt19937_64& random) const;
    /// What is in the files now is what was synced. Not while one is open.
    void settle();
};

}  // namespace gateway::test
