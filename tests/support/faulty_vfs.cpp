#include "tests/support/faulty_vfs.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <vector>

namespace gateway::test {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t sector_bytes = 512;

struct Write {
    std::size_t at = 0;
    std::string bytes;
};

/// A file as it was at its last sync, and what was written since.
struct Track {
    std::string synced;
    std::vector<Write> since;
};

struct Disk {
    sqlite3_vfs vfs{};
    sqlite3_vfs* real = nullptr;
    std::map<std::string, Track> tracks;
    FaultyDisk::Fault fault = FaultyDisk::Fault::none;
    unsigned left = 0;
    bool once = false;
    unsigned calls = 0;
    unsigned failed = 0;
    std::function<void()> look;
};

std::unique_ptr<Disk> disk;

/// What SQLite holds of an open file; the real VFS's file follows it in memory.
struct File {
    sqlite3_file base;
    Track* track;
};

sqlite3_file* real_of(sqlite3_file* file)
{
    return reinterpret_cast<sqlite3_file*>(reinterpret_cast<File*>(file) + 1);
}

Track& track_of(sqlite3_file* file)
{
    return *reinterpret_cast<File*>(file)->track;
}

bool fails(FaultyDisk::Fault kind)
{
    if (disk->fault != kind || disk->left == 0) {
        return false;
    }
    if (--disk->left > 0) {
        return false;
    }
    disk->left = disk->once ? 0 : 1;
    ++disk->failed;
    return true;
}

void apply(std::string& content, const Write& write, std::size_t from = 0,
           std::size_t to = std::string::npos)
{
    to = std::min(to, write.bytes.size());
    if (content.size() < write.at + to) {
        content.resize(write.at + to);
    }
    std::copy(write.bytes.begin() + static_cast<std::ptrdiff_t>(from),
              write.bytes.begin() + static_cast<std::ptrdiff_t>(to),
              content.begin() + static_cast<std::ptrdiff_t>(write.at + from));
}

int close_file(sqlite3_file* file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

int read_file(sqlite3_file* file, void* into, int size, sqlite3_int64 at)
{
    if (fails(FaultyDisk::Fault::read_error)) {
        return SQLITE_IOERR_READ;
    }
    return real_of(file)->pMethods->xRead(real_of(file), into, size, at);
}

int write_file(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 at)
{
    ++disk->calls;
    if (fails(FaultyDisk::Fault::no_space)) {
        return SQLITE_FULL;
    }
    if (fails(FaultyDisk::Fault::write_error)) {
        return SQLITE_IOERR_WRITE;
    }
    track_of(file).since.push_back(
        {static_cast<std::size_t>(at),
         {static_cast<const char*>(bytes), static_cast<std::size_t>(size)}});
    return real_of(file)->pMethods->xWrite(real_of(file), bytes, size, at);
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size)
{
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

int sync_file(sqlite3_file* file, int flags)
{
    ++disk->calls;
    if (disk->look) {
        disk->look();
    }
    if (fails(FaultyDisk::Fault::sync_error)) {
        return SQLITE_IOERR_FSYNC;
    }
    auto& track = track_of(file);
    for (const auto& write : track.since) {
        apply(track.synced, write);
    }
    track.since.clear();
    return real_of(file)->pMethods->xSync(real_of(file), flags);
}

int size_of_file(sqlite3_file* file, sqlite3_int64* size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}
int lock_file(sqlite3_file* file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}
int unlock_file(sqlite3_file* file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}
int check_lock(sqlite3_file* file, int* held)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), held);
}
int control_file(sqlite3_file* file, int operation, void* argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), operation, argument);
}
int sector_size(sqlite3_file* file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}
int characteristics(sqlite3_file* file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

// Version 1: no shared memory, no memory map. A store needs neither (locking_mode exclusive).
const sqlite3_io_methods methods{
    1,         close_file,  read_file,  write_file,   truncate_file, sync_file,       size_of_file,
    lock_file, unlock_file, check_lock, control_file, sector_size,   characteristics, nullptr,
    nullptr,   nullptr,     nullptr,    nullptr,      nullptr};

int open_file(sqlite3_vfs* /*vfs*/, const char* name, sqlite3_file* file, int flags, int* out_flags)
{
    if (name != nullptr && !fs::exists(name)) {
        disk->tracks.erase(name);  // one that was removed leaves nothing behind
    }
    if (disk->fault == FaultyDisk::Fault::read_only) {
        flags = (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY;
    }
    const auto code = disk->real->xOpen(disk->real, name, real_of(file), flags, out_flags);
    if (code != SQLITE_OK) {
        file->pMethods = nullptr;
        return code;
    }
    auto& track = disk->tracks[name == nullptr ? std::string() : std::string(name)];
    if (name != nullptr && track.synced.empty() && track.since.empty()) {
        std::ifstream stream(name, std::ios::binary);
        track.synced.assign(std::istreambuf_iterator<char>(stream), {});
    }
    reinterpret_cast<File*>(file)->track = &track;
    file->pMethods = &methods;
    return code;
}

}  // namespace

FaultyDisk::FaultyDisk()
{
    disk = std::make_unique<Disk>();
    disk->real = sqlite3_vfs_find(nullptr);
    disk->vfs = *disk->real;  // all that is not about an open file is the real one's
    disk->vfs.zName = "faulty";
    disk->vfs.pNext = nullptr;
    disk->vfs.szOsFile = static_cast<int>(sizeof(File)) + disk->real->szOsFile;
    disk->vfs.xOpen = open_file;
    sqlite3_vfs_register(&disk->vfs, 1);
}

FaultyDisk::~FaultyDisk()
{
    sqlite3_vfs_unregister(&disk->vfs);
    sqlite3_vfs_register(disk->real, 1);
    disk.reset();
}

void FaultyDisk::fail(Fault fault, unsigned after, bool once)
{
    disk->fault = fault;
    disk->left = after;
    disk->once = once;
}

unsigned FaultyDisk::calls() const
{
    return disk->calls;
}

unsigned FaultyDisk::failed() const
{
    return disk->failed;
}

void FaultyDisk::before_sync(std::function<void()> look)
{
    disk->look = std::move(look);
}

namespace {

/// What a cut may leave of a file.
std::string remains(const Track& track, std::mt19937_64& random)
{
    auto content = track.synced;
    auto writes = track.since;
    std::ranges::shuffle(writes, random);  // the disk may take them in any order
    for (const auto& write : writes) {
        const auto sectors = (write.bytes.size() + sector_bytes - 1) / sector_bytes;
        switch (random() % 4) {
            case 0:  // never got there
                break;
            case 1: {  // torn: some of its sectors
                const auto sector = random() % sectors;
                apply(content, write, sector * sector_bytes,
                      (sector + 1 + random() % (sectors - sector)) * sector_bytes);
                break;
            }
            default:
                apply(content, write);
        }
    }
    return content;
}

}  // namespace

void FaultyDisk::cut(const std::string& from, const std::string& to, std::mt19937_64& random) const
{
    for (const auto& entry : fs::recursive_directory_iterator(from)) {
        const auto name = entry.path().string();
        const fs::path path = to + name.substr(from.size());
        if (entry.is_directory()) {
            fs::create_directories(path);
            continue;
        }
        fs::create_directories(path.parent_path());
        const auto track = disk->tracks.find(name);
        if (track == disk->tracks.end()) {
            fs::copy_file(name, path);
        } else {
            std::ofstream(path, std::ios::binary) << remains(track->second, random);
        }
    }
}

void FaultyDisk::settle()
{
    disk->tracks.clear();
}

}  // namespace gateway::test
