#include "gateway/store/salvage.hpp"

#include "gateway/store/lane_rows.hpp"
#include "gateway/store/numbers.hpp"
#include "gateway/store/outbox_database.hpp"

#include <algorithm>

namespace gateway {

namespace {

constexpr std::size_t most_places = 65'536;  ///< 1 MB

// The columns of each table, by which its rows are told apart (schema.cpp).
constexpr std::size_t counters_columns = 3;  // as `dictionary`, whose second column is a text
constexpr std::size_t state_columns = 4;
constexpr std::size_t row_columns = 7;
constexpr std::size_t row_bytes_column = 6;

}  // namespace

Salvage::Salvage(const std::string& database_path, std::int64_t from, bool whole_wal)
    : image_(database_path, whole_wal), from_(from)
{
}

bool Salvage::scan(Deadline deadline, Found& found)
{
    for (; page_ <= image_.page_count(); ++page_) {
        if (std::chrono::steady_clock::now() >= deadline) {
            return false;
        }
        const auto rows = image_.load(page_);
        for (std::size_t index = 0; index < rows; ++index) {
            look_at(index, found);
        }
    }
    std::ranges::sort(places_, {}, [](const Place& place) {
        return std::pair(place.id, std::pair(place.page, place.index));
    });
    return true;
}

void Salvage::look_at(std::size_t index, Found& found)
{
    const auto id = image_.rowid(index);
    const auto columns = image_.columns(index);
    if (!id || columns == 0) {
        return;
    }
    if (columns == row_columns) {
        if (*id >= from_ && (!bound_ || *id < *bound_)) {
            places_.push_back({*id, page_, static_cast<std::uint16_t>(index)});
            bound_index();
        }
        return;
    }
    const auto record = image_.record(index);
    if (!record) {
        return;
    }
    const auto key = static_cast<std::uint64_t>(*id);
    const auto checksum = static_cast<std::uint64_t>(record->integer(2));
    if (columns == counters_columns && !record->text(1).empty()) {
        if (dictionary_checksum(key, record->text(1)) == checksum) {
            found.dictionaries.emplace_back(key, record->text(1));
        }
    } else if (columns == counters_columns) {
        const auto lane = key % lane_key_base;
        if (lane < lane_count && row_checksum({key}, record->blob(1)) == checksum) {
            found.books.push_back({static_cast<std::uint32_t>(key / lane_key_base), all_lanes[lane],
                                   unpack_book(record->blob(1))});
        }
    } else if (columns == state_columns && state_checksum(record->text(1), record->text(2)) ==
                                               static_cast<std::uint64_t>(record->integer(3))) {
        found.states.emplace_back(record->text(1), record->text(2));
    }
}

/// Keeps the lowest ids. Rows of one id are kept or left together: lanes share ids.
void Salvage::bound_index()
{
    if (places_.size() < 2 * most_places) {
        return;
    }
    const auto middle = places_.begin() + most_places;
    std::ranges::nth_element(places_, middle, {}, &Place::id);
    bound_ = middle->id;
    std::erase_if(places_, [&](const Place& place) { return place.id >= *bound_; });
}

std::optional<Salvage::Message> Salvage::next()
{
    while (next_ < places_.size()) {
        const auto& [id, page, index] = places_[next_++];
        image_.load(page);
        if (const auto record = image_.record(index)) {
            const auto bytes = record->blob(row_bytes_column);
            return Message{id, {bytes.begin(), bytes.end()}};
        }
    }
    return std::nullopt;
}

std::optional<std::int64_t> Salvage::next_id() const
{
    return next_ < places_.size() ? std::optional(places_[next_].id) : std::nullopt;
}

void Salvage::scan_again()
{
    from_ = bound_.value_or(from_);
    bound_.reset();
    places_.clear();
    next_ = 0;
    page_ = 1;
}

}  // namespace gateway
