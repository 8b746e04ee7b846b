// The layouts are those of "Database File Format" (sqlite.org/fileformat2.html).
#include "gateway/store/store_image.hpp"

#include "gateway/store/schema.hpp"
#include "gateway/store/store_error.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace gateway {

namespace {

constexpr std::string_view magic("SQLite format 3\0", 16);
constexpr std::size_t header_bytes = 100;  ///< at the begin of page 1
constexpr std::uint8_t table_leaf = 0x0D;
constexpr std::size_t leaf_header_bytes = 8;
constexpr std::size_t wal_header_bytes = 32;
constexpr std::size_t frame_header_bytes = 24;
constexpr std::uint32_t wal_magic = 0x377F0682;
constexpr std::uint64_t most_payload_bytes = 4 << 20;  ///< a message has 1 MB at most

/// The running checksum of a WAL, over pairs of words.
class WalChecksum {
public:
    explicit WalChecksum(bool big) : big_(big) {}
    void add(ByteView bytes)
    {
        for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
            first_ += word(bytes, at) + second_;
            second_ += word(bytes, at + 4) + first_;
        }
    }
    bool is(ByteView bytes, std::size_t at) const
    {
        return big_endian(bytes, at) == first_ && big_endian(bytes, at + 4) == second_;
    }

private:
    std::uint32_t word(ByteView bytes, std::size_t at) const
    {
        const auto number = big_endian(bytes, at);
        return big_ ? number : __builtin_bswap32(number);
    }

    bool big_;
    std::uint32_t first_ = 0;
    std::uint32_t second_ = 0;
};

bool read_at(int file, std::int64_t at, std::span<std::uint8_t> into)
{
    return file >= 0 &&
           pread(file, into.data(), into.size(), at) == static_cast<ssize_t>(into.size());
}

std::int64_t size_of(int file)
{
    struct stat about {};
    return file >= 0 && fstat(file, &about) == 0 ? about.st_size : 0;
}

}  // namespace

StoreImage::StoreImage(const std::string& database_path, bool whole_wal)
    : file_(open_file(database_path)),
      page_bytes_(store_page_bytes),
      usable_bytes_(store_page_bytes)
{
    read_header();
    page_count_ = static_cast<std::uint32_t>(size_of(file_) / page_bytes_);
    read_wal(database_path + "-wal", whole_wal);
    read_header();  // page 1 may have come anew with the WAL
    read_free_list();
}

StoreImage::~StoreImage()
{
    for (const auto file : {file_, wal_}) {
        if (file >= 0) {
            close(file);
        }
    }
}

int StoreImage::open_file(const std::string& path)
{
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    readable_ = readable_ && (file >= 0 || errno == ENOENT);
    return file;
}

void StoreImage::read_header()
{
    Bytes header(header_bytes);
    const auto in_wal = in_wal_.find(1);
    const bool read =
        in_wal == in_wal_.end() ? read_at(file_, 0, header) : read_at(wal_, in_wal->second, header);
    if (!read || !std::equal(magic.begin(), magic.end(), header.begin())) {
        version_.reset();
        return;
    }
    const auto size = big_endian(header, 16, 2);
    const auto reserved = header[20];
    if (size >= 512 && (size & (size - 1)) == 0 && reserved <= size - 480) {
        page_bytes_ = size;
        usable_bytes_ = size - reserved;
    }
    version_ = big_endian(header, 60);
}

std::optional<std::uint32_t> StoreImage::version() const
{
    return version_;
}

void StoreImage::commit(std::unordered_map<std::uint32_t, std::int64_t>& pages)
{
    const auto most = static_cast<std::uint32_t>((size_of(file_) + size_of(wal_)) / page_bytes_);
    for (const auto& [page, place] : pages) {
        if (page <= most) {  // else its number is damaged
            in_wal_[page] = place;
            page_count_ = std::max(page_count_, page);
        }
    }
    pages.clear();
}

/// Frames count up to the last one that ends a commit and is whole, as do all before it; and beyond
/// when that is known to be damage, for then what lies there is all that is left of it.
void StoreImage::read_wal(const std::string& path, bool whole)
{
    wal_ = open_file(path);
    Bytes header(wal_header_bytes);
    Bytes frame(frame_header_bytes + page_bytes_);
    if (!read_at(wal_, 0, header) || !read_at(wal_, wal_header_bytes, frame)) {
        return;
    }
    WalChecksum checksum((big_endian(header, 0) & 1U) != 0);
    checksum.add(ByteView(header).first(24));
    bool holds = (big_endian(header, 0) & ~1U) == wal_magic &&
                 big_endian(header, 8) == page_bytes_ && checksum.is(header, 24);
    const auto salted = holds ? ByteView(header).subspan(16, 8) : ByteView(frame).subspan(8, 8);
    const Bytes salt(salted.begin(), salted.end());
    std::unordered_map<std::uint32_t, std::int64_t> uncommitted;
    std::unordered_map<std::uint32_t, std::int64_t> behind;
    bool commit_ended = false;
    for (std::int64_t at = wal_header_bytes; read_at(wal_, at, frame);
         at += static_cast<std::int64_t>(frame.size())) {
        const bool same_salt = std::equal(salt.begin(), salt.end(), frame.begin() + 8);
        if (holds) {
            checksum.add(ByteView(frame).first(8));
            checksum.add(ByteView(frame).subspan(frame_header_bytes));
            holds = same_salt && checksum.is(frame, 16);
        }
        const auto page = big_endian(frame, 0);
        const auto place = at + static_cast<std::int64_t>(frame_header_bytes);
        const bool ends_commit = big_endian(frame, 4) != 0;
        if (holds) {
            uncommitted[page] = place;
            if (ends_commit) {
                commit(uncommitted);
            }
        } else if (same_salt) {
            tail_.was_durable = tail_.was_durable || commit_ended;
            commit_ended = commit_ended || ends_commit;
            tail_.has_commit = tail_.has_commit || (ends_commit && tail_.has_frames);
            tail_.has_frames = true;
            uncommitted[page] = place;
            if (ends_commit) {
                for (const auto& [each, where] : uncommitted) {
                    behind[each] = where;
                }
                uncommitted.clear();
            }
        }
    }
    if (whole || tail_.was_durable) {
        commit(behind);
    }
}

bool StoreImage::read_page(std::uint32_t page, Bytes& bytes) const
{
    if (page == 0 || page > page_count_) {
        return false;
    }
    bytes.resize(page_bytes_);
    if (const auto at = in_wal_.find(page); at != in_wal_.end()) {
        return read_at(wal_, at->second, bytes);
    }
    return read_at(file_, std::int64_t{page - 1} * page_bytes_, bytes);
}

void StoreImage::read_free_list()
{
    Bytes page;
    if (!version_ || !read_page(1, page)) {
        return;
    }
    free_.assign(page_count_ + std::size_t{1}, false);
    auto trunk = big_endian(page, 32);
    const auto wanted = big_endian(page, 36);
    std::uint32_t found = 0;
    while (trunk != 0) {
        if (!read_page(trunk, page) || free_[trunk]) {
            return;
        }
        free_[trunk] = true;
        ++found;
        const auto leaves = big_endian(page, 4);
        if (leaves > usable_bytes_ / 4 - 2) {
            return;
        }
        for (std::uint32_t i = 0; i < leaves; ++i) {
            const auto leaf = big_endian(page, 8 + std::size_t{4} * i);
            if (leaf == 0 || leaf > page_count_) {
                return;
            }
            free_[leaf] = true;
            ++found;
        }
        trunk = big_endian(page, 0);
    }
    knows_free_ = found == wanted;
}

std::size_t StoreImage::load(std::uint32_t page)
{
    loaded_ = page;
    const bool is_free = knows_free_ && page < free_.size() && free_[page];
    if (is_free || !read_page(page, page_)) {
        page_.clear();
        return 0;
    }
    const std::size_t begin = page == 1 ? header_bytes : 0;
    const auto cells = big_endian(page_, begin + 3, 2);
    const auto room = (usable_bytes_ - begin - leaf_header_bytes) / 2;
    return page_[begin] == table_leaf ? std::min<std::size_t>(cells, room) : 0;
}

std::optional<StoreImage::Cell> StoreImage::cell(std::size_t index) const
{
    const std::size_t pointer = (loaded_ == 1 ? header_bytes : 0) + leaf_header_bytes + index * 2;
    if (pointer + 2 > page_.size()) {
        return std::nullopt;
    }
    const auto view = ByteView(page_).first(usable_bytes_);
    Cell cell;
    cell.at = big_endian(page_, pointer, 2);
    cell.size = varint(view, cell.at);
    cell.rowid = static_cast<std::int64_t>(varint(view, cell.at));
    return cell.at < view.size() && cell.size > 0 && cell.size <= most_payload_bytes
               ? std::optional(cell)
               : std::nullopt;
}

std::optional<std::int64_t> StoreImage::rowid(std::size_t index) const
{
    const auto found = cell(index);
    return found ? std::optional(found->rowid) : std::nullopt;
}

/// How much of a payload lies in the leaf itself.
std::size_t StoreImage::local_bytes(std::uint64_t payload_size) const
{
    const std::size_t most = usable_bytes_ - 35;
    const std::size_t least = (usable_bytes_ - 12) * 32 / 255 - 23;
    if (payload_size <= most) {
        return payload_size;
    }
    const auto local = least + (payload_size - least) % (usable_bytes_ - 4);
    return local <= most ? local : least;
}

std::size_t StoreImage::columns(std::size_t index) const
{
    const auto found = cell(index);
    const auto view = ByteView(page_).first(usable_bytes_);
    if (!found || local_bytes(found->size) > view.size() - found->at) {
        return 0;
    }
    const auto payload = view.subspan(found->at, local_bytes(found->size));
    std::size_t at = 0;
    const auto header_end = varint(payload, at);
    if (header_end > payload.size()) {
        return 0;
    }
    std::size_t count = 0;
    for (const auto header = payload.first(header_end); at < header.size(); ++count) {
        varint(header, at);
    }
    return count;
}

std::optional<StoredRecord> StoreImage::record(std::size_t index) const
{
    const auto found = cell(index);
    if (!found) {
        return std::nullopt;
    }
    const auto local = local_bytes(found->size);
    const auto view = ByteView(page_).first(usable_bytes_);
    const bool overflows = local < found->size;
    if (local + (overflows ? 4 : 0) > view.size() - found->at) {
        return std::nullopt;
    }
    const auto begin = view.begin() + static_cast<std::ptrdiff_t>(found->at);
    Bytes payload(begin, begin + static_cast<std::ptrdiff_t>(local));
    auto next = overflows ? big_endian(view, found->at + local) : 0;
    Bytes page;
    while (payload.size() < found->size) {
        if (!read_page(next, page)) {
            return std::nullopt;
        }
        const auto size = std::min<std::size_t>(found->size - payload.size(), usable_bytes_ - 4);
        payload.insert(payload.end(), page.begin() + 4,
                       page.begin() + 4 + static_cast<std::ptrdiff_t>(size));
        next = big_endian(page, 0);
    }
    return StoredRecord(found->rowid, std::move(payload));
}

/// The image is closed on return: closing it later would take SQLite's locks away.
StoreLook look_at_store(const std::string& database_path)
{
    const StoreImage image(database_path);
    if (!image.is_readable()) {
        throw StoreError::unavailable(database_path + " cannot be opened");
    }
    return {can_read_schema(image.version().value_or(0)), image.wal_tail()};
}

}  // namespace gateway
