#pragma once

#include "gateway/store/sqlite.hpp"

#include <cstdint>
#include <string>

namespace gateway {

// Measured, bytes written per reading at 10 and at 10,000 readings a second: pages of 1 KB 93 and
// 2.2, of 4 KB 143 and 2.4, of 8 KB 226 and 3.3.
constexpr std::uint32_t store_page_bytes = 1024;

// `user_version` of a file is oldest_reader << 16 | schema_version of the program that made it. A
// schema that only adds what an older program may ignore raises schema_version; one that it may not
// raises oldest_reader too, to at most the version of the release before: so one step back works.
constexpr std::uint32_t schema_version = 1;
constexpr std::uint32_t oldest_reader = 1;
/// This program may use a file with that `user_version`; 0 is a file without tables yet.
bool can_read_schema(std::uint32_t user_version);

/// What a store has of free pages from its beginning on, unless the disk is full then.
constexpr std::int64_t reserve_bytes = 2 << 20;

/// Opens or creates the database file of an outbox: pragmas set and read back, tables made, the WAL
/// and a reserve of free pages grown ahead so that a full disk still takes deletions and
/// tombstones. `renew_wal`: the WAL begins anew, so that what lies behind its end is not taken for
/// damage later.
sqlite::Connection open_outbox_file(const std::string& path, std::uint64_t budget_bytes,
                                    bool renew_wal);

// Of table `state`: keys are few, so their checksum tells them apart.
std::int64_t state_id(std::string_view key);
std::uint32_t state_checksum(std::string_view key, std::string_view value);
std::uint32_t dictionary_checksum(DictionaryHash hash, std::string_view bytes);

/// Moves the WAL into the file without waiting for anyone; pages that are left in it.
std::int64_t checkpoint_passive(sqlite::Connection& connection);

}  // namespace gateway
