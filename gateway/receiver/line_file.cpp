#include "gateway/receiver/line_file.hpp"

#include "gateway/core/descriptor.hpp"
#include "gateway/runtime/log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <system_error>

namespace gateway {

namespace {

[[noreturn]] void fail(const std::string& what)
{
    throw std::system_error(errno, std::generic_category(), what);
}

// A new file's name is durable only when its folder is.
void sync_folder_of(const std::string& path)
{
    const auto folder = std::filesystem::path(path).parent_path();
    const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened.open() || ::fsync(opened.number()) != 0) {
        fail(folder.string());
    }
}

}  // namespace

LineFile::LineFile(const std::string& path, const std::optional<OutputMark>& mark) : path_(path)
{
    if (path == "none") {
        return;
    }
    if (path == "-") {
        descriptor_ = STDOUT_FILENO;
        return;
    }
    path_ = std::filesystem::absolute(path).lexically_normal();
    is_file_ = true;
    descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor_ < 0) {
        fail(path_);
    }
    try {
        open(mark);
        sync_folder_of(path_);
    } catch (...) {
        ::close(descriptor_);
        throw;
    }
}

LineFile::~LineFile()
{
    if (is_file_) {
        ::close(descriptor_);
    }
}

void LineFile::open(const std::optional<OutputMark>& mark)
{
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0) {
        fail(path_);
    }
    const auto size = static_cast<std::uint64_t>(status.st_size);
    offset_ = size;
    if (!mark || mark->path != path_ || mark->offset == size) {
        // Nothing to cut off.
    } else if (size < mark->offset) {
        log(LogLevel::warning, "output file is shorter than what was committed; appending to it",
            {{"file", path_}, {"size", size}, {"committed", mark->offset}});
    } else {
        char before = '\n';
        if (mark->offset > 0 &&
            ::pread(descriptor_, &before, 1, static_cast<off_t>(mark->offset) - 1) != 1) {
            fail(path_);
        }
        if (before != '\n') {
            throw std::runtime_error(
                path_ + ": not the file that this state belongs to (no line ends at byte " +
                std::to_string(mark->offset) + "); use its own --state, or move the file away");
        }
        if (::ftruncate(descriptor_, static_cast<off_t>(mark->offset)) != 0) {
            fail(path_);
        }
        log(LogLevel::info, "uncommitted lines removed",
            {{"file", path_}, {"bytes", size - mark->offset}});
        offset_ = mark->offset;
    }
    if (::lseek(descriptor_, static_cast<off_t>(offset_), SEEK_SET) < 0) {
        fail(path_);
    }
}

void LineFile::append(std::string_view lines)
{
    if (descriptor_ < 0) {
        return;
    }
    offset_ += lines.size();
    is_dirty_ = is_dirty_ || (is_file_ && !lines.empty());
    while (!lines.empty()) {
        const auto written = ::write(descriptor_, lines.data(), lines.size());
        if (written < 0 && errno != EINTR) {
            fail(path_);
        }
        lines.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
    }
}

std::optional<OutputMark> LineFile::mark() const
{
    return is_file_ ? std::optional(OutputMark{path_, offset_}) : std::nullopt;
}

std::optional<OutputMark> LineFile::sync()
{
    if (!is_dirty_) {
        return std::nullopt;
    }
    if (::fdatasync(descriptor_) != 0) {
        fail(path_);
    }
    is_dirty_ = false;
    return mark();
}

}  // namespace gateway
