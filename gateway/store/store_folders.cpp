#include "gateway/store/store_folders.hpp"

#include "gateway/store/store_error.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace gateway {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_digits = 6;

/// A change in a folder is durable only when the folder is synced.
void sync_folder(const fs::path& path)
{
    const auto folder = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) {
        fsync(folder);
        close(folder);
    }
}

void make_folder(const fs::path& path)
{
    std::error_code error;
    if (fs::create_directory(path, error)) {
        sync_folder(path.parent_path());
    } else if (error) {
        throw StoreError::unavailable(path.string() + ": " + error.message());
    }
}

}  // namespace

StoreFolders::StoreFolders(std::string directory) : directory_(std::move(directory))
{
    std::error_code ignored;
    fs::create_directory(directory_, ignored);
}

std::optional<std::vector<unsigned>> StoreFolders::all() const
{
    std::vector<unsigned> numbers;
    std::error_code error;
    auto entry = fs::directory_iterator(fs::path(directory_) / "store", error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
        const auto name = entry->path().filename().string();
        if (!name.empty() && name.size() <= most_digits && name[0] != '0' &&
            name.find_first_not_of("0123456789") == std::string::npos) {
            numbers.push_back(static_cast<unsigned>(std::stoul(name)));
        }
    }
    if (error && error != std::errc::no_such_file_or_directory) {
        return std::nullopt;
    }
    std::ranges::sort(numbers);
    return numbers;
}

std::string StoreFolders::database(unsigned number) const
{
    return directory_ + "/store/" + std::to_string(number) + "/outbox.db";
}

void StoreFolders::make(unsigned number) const
{
    make_folder(directory_);
    make_folder(fs::path(directory_) / "store");
    make_folder(fs::path(database(number)).parent_path());
}

void StoreFolders::remove(unsigned number) const
{
    const auto folder = fs::path(database(number)).parent_path();
    std::error_code ignored;
    fs::remove_all(folder, ignored);
    sync_folder(folder.parent_path());
}

}  // namespace gateway
