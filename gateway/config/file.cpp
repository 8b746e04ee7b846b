#include "gateway/config/file.hpp"

#include "gateway/core/descriptor.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

namespace gateway {

namespace {

Result<std::string> read_checked(const std::string& path, std::size_t most, bool only_owner)
{
    // Not blocking: opening a pipe must not wait for its writer.
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status {};
    if (!file.open() || ::fstat(file.number(), &status) != 0) {
        return last_error();
    }
    if (!S_ISREG(status.st_mode) || (only_owner && (status.st_mode & 0077U) != 0)) {
        return Fault::refused;
    }
    std::string text;
    for (;;) {
        const auto had = text.size();
        text.resize(had + 16'384);
        const auto got = ::read(file.number(), text.data() + had, text.size() - had);
        if (got < 0 && errno != EINTR) {
            return last_error();
        }
        text.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        if (text.size() > most) {
            return Fault::too_large;
        }
        if (got == 0) {
            return text;
        }
    }
}

Status write_and_sync(const std::string& path, std::string_view content, unsigned mode)
{
    ::unlink(path.c_str());  // what a stop left, with whatever mode
    const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (!file.open()) {
        return last_error();
    }
    while (!content.empty()) {
        const auto put = ::write(file.number(), content.data(), content.size());
        if (put < 0 && errno != EINTR) {
            return last_error();
        }
        content.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(put, 0)));
    }
    return ::fsync(file.number()) == 0 ? Status() : last_error();
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t most)
{
    return read_checked(path, most, false);
}

Result<std::string> read_private_file(const std::string& path, std::size_t most)
{
    return read_checked(path, most, true);
}

Status sync_folder(const std::string& path)
{
    const Descriptor opened(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return opened.open() && ::fsync(opened.number()) == 0 ? Status() : last_error();
}

Status replace_file(const std::string& path, std::string_view content, unsigned mode)
{
    const auto folder = std::filesystem::path(path).parent_path();
    std::error_code ignored;  // the open below says what is wrong
    std::filesystem::create_directories(folder, ignored);
    const auto temporary = path + ".new";
    if (auto written = write_and_sync(temporary, content, mode); !written) {
        ::unlink(temporary.c_str());
        return written;
    }
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
        return last_error();
    }
    return sync_folder(folder.string());
}

}  // namespace gateway
