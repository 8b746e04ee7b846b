#include "gateway/store/store_lock.hpp"

#include "gateway/store/store_error.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace gateway {

namespace {

std::string holder(int descriptor)
{
    std::array<char, 32> text{};
    const auto size = pread(descriptor, text.data(), text.size(), 0);
    const std::string pid(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    return pid.empty() ? "another process" : "process " + pid;
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
    if (flock(descriptor_, (own ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0) {
        const auto who = holder(descriptor_);
        close(descriptor_);
        throw StoreError(directory + " is in use by " + who);
    }
    const auto pid = std::to_string(getpid());
    if (own && (ftruncate(descriptor_, 0) != 0 || pwrite(descriptor_, pid.data(), pid.size(), 0) !=
                                                      static_cast<ssize_t>(pid.size()))) {
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
