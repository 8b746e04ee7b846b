#pragma once

#include "gateway/core/lane.hpp"
#include "gateway/store/books.hpp"
#include "gateway/store/store_image.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gateway {

/// What lies in a store that was set aside, found page by page without SQLite, in slices. Rows come
/// in the order of their ids; a store with more rows than the index holds is gone through again.
class Salvage {
public:
    using Deadline = std::chrono::steady_clock::time_point;

    /// Rows with a lower id than `from` have come over already. `whole_wal`: see StoreImage.
    Salvage(const std::string& database_path, std::int64_t from, bool whole_wal);

    /// What stands beside the rows.
    struct Found {
        std::vector<std::pair<DictionaryHash, std::string>> dictionaries;
        std::vector<std::pair<std::string, std::string>> states;
        struct Book {
            std::uint32_t epoch_number = 0;
            Lane lane = Lane::telemetry;
            LaneBook book;
        };
        std::vector<Book> books;
    };
    /// Looks through pages until the deadline; adds what it finds. True when all are looked
    /// through.
    bool scan(Deadline deadline, Found& found);

    /// The next row's message and id, after a whole scan; nothing when this scan found no more.
    struct Message {
        std::int64_t id = 0;
        Bytes bytes;
    };
    std::optional<Message> next();
    std::optional<std::int64_t> next_id() const;  ///< of the row to be tried next
    /// False: the index was full, and scan() begins again for the rest.
    bool was_last_scan() const { return !bound_; }
    void scan_again();

    bool is_readable() const { return image_.is_readable(); }
    std::optional<std::uint32_t> version() const { return image_.version(); }
    bool lost_durable_commits() const { return image_.wal_tail().was_durable; }
    bool knows_free_pages() const { return image_.knows_free_pages(); }

private:
    struct Place {
        std::int64_t id = 0;
        std::uint32_t page = 0;
        std::uint16_t index = 0;
    };
    void look_at(std::size_t index, Found& found);
    void bound_index();

    StoreImage image_;
    std::uint32_t page_ = 1;  ///< the next to be looked through
    std::int64_t from_ = 0;
    std::optional<std::int64_t> bound_;  ///< rows from here on are for the next scan
    std::vector<Place> places_;
    std::size_t next_ = 0;
};

}  // namespace gateway
