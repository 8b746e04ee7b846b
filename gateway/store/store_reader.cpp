#include "gateway/store/store_reader.hpp"

#include "gateway/store/books.hpp"
#include "gateway/store/lane_rows.hpp"
#include "gateway/store/salvage.hpp"
#include "gateway/store/schema.hpp"
#include "gateway/store/store_error.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace gateway {

namespace {

namespace fs = std::filesystem;

/// Where the stores lie below what somebody named; nothing is made.
std::string existing_state_folder(const std::string& path)
{
    for (const auto& folder : {fs::path(path), fs::path(path) / "var/lib/smart-gateway"}) {
        std::error_code error;
        if (fs::is_directory(folder / "store", error)) {
            return folder.string();
        }
        if (error == std::errc::permission_denied) {
            throw StoreError(folder.string() + ": " + error.message());
        }
    }
    throw StoreError(path + " holds no store (there is no folder store/ in it)");
}

}  // namespace

StoreReader::StoreReader(const std::string& path)
    : folders_(existing_state_folder(path)), lock_(folders_.directory(), StoreLock::Access::look)
{
    const auto stores = folders_.all();
    if (!stores || stores->empty()) {
        throw StoreError(folders_.directory() + "/store cannot be listed, or is empty");
    }
    stores_ = *stores;
}

void StoreReader::visit(const std::function<void(const HeldRow&)>& with)
{
    seen_.clear();
    const std::vector<unsigned> newest_first(stores_.rbegin(), stores_.rend());
    for (const auto number : newest_first) {
        visit_store(number, with);
        std::ranges::sort(seen_);
    }
}

void StoreReader::visit_store(unsigned number, const std::function<void(const HeldRow&)>& with)
{
    constexpr auto never = Salvage::Deadline::max();
    Salvage source(folders_.database(number), 0, false);
    if (!source.is_readable() || !source.version()) {
        problems_[number] = source.is_readable() ? "is no store" : "cannot be opened";
        return;
    }
    if (!can_read_schema(*source.version())) {
        problems_[number] = "was written by a newer version of this program";
        return;
    }
    if (source.lost_durable_commits()) {
        problems_[number] = "its WAL is damaged; what lies behind the damage is read all the same";
    }
    if (!source.knows_free_pages()) {
        auto& problem = problems_[number];
        problem += problem.empty() ? "" : "; ";
        problem += "its list of free pages is damaged, so rows may be shown that were freed";
    }
    const bool has_older = number != stores_.front();
    const auto newer = seen_.size();
    for (;;) {
        Salvage::Found found;
        source.scan(never, found);
        for (auto& [hash, bytes] : found.dictionaries) {
            dictionaries_.try_emplace(hash, std::move(bytes));
        }
        for (auto& [epoch, lane, book] : found.books) {
            books_[{number, epoch, lane}] = {book.counters.head, std::move(book.received)};
        }
        while (auto message = source.next()) {
            HeldRow row{number, epoch_of(message->id), first_of(message->id),
                        std::move(message->bytes)};
            const auto header = decode_header(row.message);
            if (header) {
                const Key key{header->header.epoch, header->header.lane, row.first};
                const auto end = seen_.begin() + static_cast<std::ptrdiff_t>(newer);
                if (std::binary_search(seen_.begin(), end, key)) {
                    continue;
                }
                if (has_older) {
                    seen_.push_back(key);
                }
            }
            with(row);
        }
        if (source.was_last_scan()) {
            return;
        }
        source.scan_again();
    }
}

std::optional<std::vector<EpochHeads>> StoreReader::heads() const
{
    return HeadsFile(directory() + "/heads").read();
}

std::uint64_t StoreReader::size_bytes() const
{
    std::uint64_t size = 0;
    std::error_code error;
    auto entry = fs::recursive_directory_iterator(directory() + "/store", error);
    for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
        std::error_code ignored;
        if (entry->is_regular_file(ignored)) {
            size += entry->file_size(ignored);
        }
    }
    return size;
}

}  // namespace gateway
