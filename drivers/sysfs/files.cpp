#include "drivers/sysfs/files.hpp"

#include "gateway/core/descriptor.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>

namespace gateway::sysfs {

namespace {

constexpr std::size_t most_names = 4096;

class KernelFiles final : public Files {
public:
    std::vector<std::string> names(const std::string& folder) const override
    {
        std::vector<std::string> names;
        std::error_code error;
        std::filesystem::directory_iterator entries(folder, error);
        const std::filesystem::directory_iterator end;
        while (!error && entries != end && names.size() < most_names) {
            names.push_back(entries->path().filename().string());
            entries.increment(error);
        }
        return names;
    }

    Result<std::string> read(const std::string& path) const override
    {
        // Not blocking: a pipe in its place would wait for a writer. Files of the kernel wait for
        // their sensor all the same.
        const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
        struct stat about {};
        if (!file.open() || ::fstat(file.number(), &about) != 0) {
            return last_error();
        }
        if (!S_ISREG(about.st_mode)) {
            return Fault::malformed;
        }
        std::string text(largest_file + 1, '\0');
        std::size_t size = 0;
        while (size < text.size()) {
            const auto count = ::read(file.number(), text.data() + size, text.size() - size);
            if (count < 0 && errno != EINTR) {
                return last_error();
            }
            if (count == 0) {
                text.resize(size);
                text.shrink_to_fit();
                return text;
            }
            size += static_cast<std::size_t>(std::max<::ssize_t>(count, 0));
        }
        return Fault::too_large;
    }
};

std::string joined(const std::string& base, std::string_view part)
{
    auto whole = base.ends_with('/') ? base : base + '/';
    return whole.append(part);
}

/// What the star of `part` stands for in `name`; nothing when it does not fit.
std::optional<std::string> star_of(std::string_view part, std::string_view name)
{
    const auto star = part.find('*');
    const auto before = part.substr(0, star);
    const auto after = part.substr(star + 1);
    const bool fits = name.size() >= before.size() + after.size() && name.starts_with(before) &&
                      name.ends_with(after) && !name.starts_with('.');
    return fits ? std::optional<std::string>(
                      name.substr(before.size(), name.size() - before.size() - after.size()))
                : std::nullopt;
}

bool earlier(const Found& left, const Found& right)
{
    const auto shorter = [](const std::string& a, const std::string& b) {
        return a.size() != b.size() ? a.size() < b.size() : a < b;
    };
    return std::ranges::lexicographical_compare(left.stars, right.stars, shorter);
}

}  // namespace

const Files& kernel_files()
{
    static const KernelFiles files;
    return files;
}

std::vector<Found> find_files(const Files& files, const std::string& base, std::string_view path)
{
    std::vector<Found> found{{base, {}}};
    while (!path.empty()) {
        const auto slash = std::min(path.find('/'), path.size());
        const auto part = path.substr(0, slash);
        path.remove_prefix(std::min(slash + 1, path.size()));
        if (part.find('*') == std::string_view::npos) {
            for (auto& each : found) {
                each.path = joined(each.path, part);
            }
            continue;
        }
        std::vector<Found> deeper;
        for (const auto& each : found) {
            for (const auto& name : files.names(each.path)) {
                if (auto star = star_of(part, name); star && deeper.size() < most_names) {
                    deeper.push_back({joined(each.path, name), each.stars});
                    deeper.back().stars.push_back(std::move(*star));
                }
            }
        }
        found = std::move(deeper);
    }
    std::ranges::sort(found, earlier);
    found.resize(std::min(found.size(), most_found));
    return found;
}

std::string with_stars(std::string_view path, const std::vector<std::string>& stars)
{
    std::string whole;
    auto next = stars.begin();
    for (const char letter : path) {
        if (letter == '*' && next != stars.end()) {
            whole += *next++;
        } else {
            whole += letter;
        }
    }
    return whole;
}

}  // namespace gateway::sysfs
