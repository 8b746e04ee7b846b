#pragma once

#include "gateway/store/sqlite.hpp"

#include <cstdint>
#include <string>

namespace gateway {

/// Opens or creates the database file of an outbox: pragmas set and read back, tables made, the WAL
/// and a reserve of free pages grown ahead so that a full disk still takes deletions and
/// tombstones.
sqlite::Connection open_outbox_file(const std::string& path, std::uint64_t budget_bytes);

/// Moves the WAL into the file without waiting for anyone; pages that are left in it.
std::int64_t checkpoint_passive(sqlite::Connection& connection);

}  // namespace gateway
