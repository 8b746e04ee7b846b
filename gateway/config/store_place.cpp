#include "gateway/config/store_place.hpp"

#include "gateway/config/file.hpp"
#include "gateway/config/toml.hpp"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <cstdlib>
#include <filesystem>

namespace gateway {

namespace {

/// Of the folder, or of the nearest one above it that exists: the folder is made at the start.
bool is_in_memory(std::filesystem::path folder)
{
    struct statfs about {};
    while (statfs(folder.c_str(), &about) != 0) {
        if (!folder.has_relative_path()) {
            return false;
        }
        folder = folder.parent_path();
    }
    return about.f_type == TMPFS_MAGIC || about.f_type == RAMFS_MAGIC;
}

}  // namespace

std::string state_folder(const std::string& site_file)
{
    const char* given = std::getenv("STATE_DIRECTORY");  // NOLINT(concurrency-mt-unsafe): never set
    if (given != nullptr) {
        return given;
    }
    Mistakes ignored;
    const auto text = read_file(site_file, longest_document);
    return text ? parse_site(*text, site_file, ignored).store.path : StoreSettings().path;
}

void check_store_place(const Site& site, Mistakes& mistakes)
{
    const auto& store = site.store;
    if (!store.may_be_volatile && is_in_memory(std::filesystem::absolute(store.path))) {
        mistakes.add(store.path_place, "store.path",
                     '"' + store.path +
                         "\" lies in memory (tmpfs): a power cut would take every stored reading; "
                         "name a folder on a disk, or write volatile = true");
    }
}

}  // namespace gateway
