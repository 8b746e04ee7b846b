#pragma once

#include "gateway/store/stored_record.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace gateway {

/// What a WAL has from the first frame on whose checksum does not hold. There SQLite stops, for a
/// power cut leaves such a frame in the commit that was not synced yet. What was synced and has
/// been damaged since looks the same, but for what follows.
struct WalTail {
    bool has_frames = false;  ///< of this WAL, not of what it was before it began anew
    bool has_commit = false;  ///< ends in a later frame, so that the first was written whole
    /// A commit ends here and a further frame follows: it had been synced before that one.
    bool was_durable = false;
};

/// The pages of a database as its last commit left them: the file, and over it the part of the WAL
/// whose checksums hold. Read without SQLite, which refuses a damaged file as a whole, and without
/// writing a byte. Nothing in the file is trusted: every number is bounded.
class StoreImage {
public:
    /// What was durable in the WAL's tail is part of the image; `whole_wal`: so is a tail with but
    /// one commit.
    explicit StoreImage(const std::string& database_path, bool whole_wal = false);
    ~StoreImage();
    StoreImage(const StoreImage&) = delete;
    StoreImage& operator=(const StoreImage&) = delete;

    /// False when a file that is there cannot be opened now: nothing follows from what is missing.
    bool is_readable() const { return readable_; }
    /// `user_version`; nothing when there is no header of a database.
    std::optional<std::uint32_t> version() const;
    std::uint32_t page_count() const { return page_count_; }
    /// The list of free pages was whole, so that rows in pages not on it are rows in use.
    bool knows_free_pages() const { return knows_free_; }

    const WalTail& wal_tail() const { return tail_; }

    /// How many rows of a table lie in this page; 0 when it is not a leaf of a table, is free, or
    /// cannot be read. Pages count from 1.
    std::size_t load(std::uint32_t page);
    /// The rowid of row `index` of the page loaded last.
    std::optional<std::int64_t> rowid(std::size_t index) const;
    /// How many columns its row has; 0 when that cannot be told.
    std::size_t columns(std::size_t index) const;
    /// The whole row; nothing when a page of it cannot be read.
    std::optional<StoredRecord> record(std::size_t index) const;

private:
    struct Cell {
        std::uint64_t size = 0;
        std::int64_t rowid = 0;
        std::size_t at = 0;  ///< of the payload
    };
    int open_file(const std::string& path);
    void read_header();
    void read_wal(const std::string& path, bool whole);
    void commit(std::unordered_map<std::uint32_t, std::int64_t>& pages);
    void read_free_list();
    bool read_page(std::uint32_t page, Bytes& bytes) const;
    std::optional<Cell> cell(std::size_t index) const;
    std::size_t local_bytes(std::uint64_t payload_size) const;

    bool readable_ = true;
    int file_ = -1;
    int wal_ = -1;
    std::unordered_map<std::uint32_t, std::int64_t> in_wal_;  ///< where the page's last frame lies
    WalTail tail_;
    std::vector<bool> free_;
    bool knows_free_ = false;
    std::optional<std::uint32_t> version_;
    std::uint32_t page_bytes_ = 0;
    std::uint32_t usable_bytes_ = 0;
    std::uint32_t page_count_ = 0;
    std::uint32_t loaded_ = 0;
    Bytes page_;
};

/// What can be seen of a store before SQLite opens it. Throws StoreError when its files cannot be
/// opened now.
struct StoreLook {
    bool can_be_read = false;  ///< by this version
    WalTail wal_tail;
};
StoreLook look_at_store(const std::string& database_path);

}  // namespace gateway
