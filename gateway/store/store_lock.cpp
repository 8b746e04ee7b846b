#include "gateway/store/store_lock.hpp"

#include "gateway/store/store_error.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace gateway {

namespace {

/// The process that wrote the file, and its note.
std::pair<std::string, std::string> read_lock(int descriptor)
{
    std::array<char, 64> text{};
    const auto size = pread(descriptor, text.data(), text.size(), 0);
    const std::string all(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    const auto space = std::min(all.find(' '), all.size());
    return {all.substr(0, space), all.substr(std::min(space + 1, all.size()))};
}

}  // namespace

StoreLock::StoreLock(const std::string& directory, Access access)
{
    const auto path = directory + "/lock";
    const bool own = access == Access::own;
    descriptor_ = own ? open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640) : -1;
    if (descriptor_ < 0) {  // a read-only file system can be locked all the same
        descriptor_ = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    }
    if (descriptor_ < 0 && !own && errno == ENOENT) {
        return;  // nobody has ever owned it
    }
    if (descriptor_ < 0) {
        throw StoreError::unavailable(path + ": " + std::generic_category().message(errno));
    }
    const auto [process, previous] = read_lock(descriptor_);
    if (flock(descriptor_, (own ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0) {
        close(descriptor_);
        throw StoreError(directory + " is in use by " +
                         (process.empty() ? "another process" : "process " + process));
    }
    previous_note_ = previous;
    if (own) {
        leave({});
    }
}

void StoreLock::leave(const std::string& note) const
{
    const auto text = std::to_string(getpid()) + (note.empty() ? "" : " " + note);
    if (ftruncate(descriptor_, 0) != 0 ||
        pwrite(descriptor_, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
        // On a full disk the lock holds all the same; only its holder's name is missing.
        return;
    }
}

StoreLock::~StoreLock()
{
    if (descriptor_ >= 0) {
        close(descriptor_);
    }
}

}  // namespace gateway
