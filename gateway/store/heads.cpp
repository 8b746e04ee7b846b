#include "gateway/store/heads.hpp"

#include "gateway/core/digest.hpp"
#include "gateway/store/store_error.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace gateway {

namespace {

static_assert(std::endian::native == std::endian::little,
              "slots are written as they lie in memory");

constexpr std::size_t slot_bytes = 4096;

struct Entry {
    std::array<std::uint8_t, 16> epoch;
    std::uint64_t number;
    std::array<std::uint64_t, lane_count> heads;
};

struct Slot {
    std::uint32_t crc;  ///< of all that follows in the slot
    std::uint32_t count;
    std::uint64_t serial;
    std::array<Entry, (slot_bytes - 16) / sizeof(Entry)> entries;
};

static_assert(sizeof(Slot) <= slot_bytes);

using SlotBytes = std::array<std::uint8_t, slot_bytes>;

std::uint32_t crc_of(const SlotBytes& bytes)
{
    return crc32c(ByteView(bytes).subspan(sizeof(Slot::crc)));
}

class File {
public:
    File(const std::string& path, int flags) : descriptor_(open(path.c_str(), flags, 0640)) {}
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File()
    {
        if (descriptor_ >= 0) {
            close(descriptor_);
        }
    }
    int descriptor() const { return descriptor_; }

private:
    int descriptor_;
};

std::optional<Slot> read_slot(int descriptor, off_t at)
{
    SlotBytes bytes{};
    if (pread(descriptor, bytes.data(), bytes.size(), at) != static_cast<ssize_t>(bytes.size())) {
        return std::nullopt;
    }
    Slot slot{};
    std::memcpy(&slot, bytes.data(), sizeof slot);
    const bool intact = slot.crc == crc_of(bytes) && slot.count <= slot.entries.size();
    return intact ? std::optional(slot) : std::nullopt;
}

std::optional<Slot> newest_slot(const std::string& path)
{
    const File file(path, O_RDONLY | O_CLOEXEC);
    if (file.descriptor() < 0) {
        return std::nullopt;
    }
    auto newest = read_slot(file.descriptor(), 0);
    const auto second = read_slot(file.descriptor(), slot_bytes);
    if (second && (!newest || second->serial > newest->serial)) {
        newest = second;
    }
    return newest;
}

}  // namespace

HeadsFile::HeadsFile(std::string path) : path_(std::move(path))
{
    if (const auto newest = newest_slot(path_)) {
        serial_ = newest->serial;
    }
}

void HeadsFile::write(const std::vector<EpochHeads>& newest_first)
{
    Slot slot{};
    slot.serial = ++serial_;
    slot.count = static_cast<std::uint32_t>(std::min(newest_first.size(), slot.entries.size()));
    for (std::size_t i = 0; i < slot.count; ++i) {
        const auto& epoch = newest_first[i];
        slot.entries[i] = {epoch.epoch.bytes, epoch.number, epoch.heads};
    }
    SlotBytes bytes{};
    std::memcpy(bytes.data(), &slot, sizeof slot);
    slot.crc = crc_of(bytes);
    std::memcpy(bytes.data(), &slot, sizeof slot);
    const File file(path_, O_WRONLY | O_CREAT | O_CLOEXEC);
    const auto at = static_cast<off_t>(slot.serial % 2 * slot_bytes);
    if (file.descriptor() < 0 ||
        pwrite(file.descriptor(), bytes.data(), bytes.size(), at) !=
            static_cast<ssize_t>(bytes.size()) ||
        fdatasync(file.descriptor()) != 0) {
        throw StoreError(path_ + ": " + std::generic_category().message(errno));
    }
}

std::optional<std::vector<EpochHeads>> HeadsFile::read() const
{
    const auto slot = newest_slot(path_);
    if (!slot) {
        return std::nullopt;
    }
    std::vector<EpochHeads> epochs;
    for (std::size_t i = 0; i < slot->count; ++i) {
        const auto& entry = slot->entries[i];
        epochs.push_back(
            {EpochId{entry.epoch}, static_cast<std::uint32_t>(entry.number), entry.heads});
    }
    return epochs;
}

}  // namespace gateway
