#pragma once

#include "gateway/core/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace gateway::sysfs {

/// Where files are read from: the machine's file system, or what an `[[example]]` gives.
class Files {
public:
    Files() = default;
    Files(const Files&) = delete;
    Files& operator=(const Files&) = delete;
    virtual ~Files() = default;

    /// The names in a folder; none when it cannot be read.
    virtual std::vector<std::string> names(const std::string& folder) const = 0;
    /// All of a file of at most `largest_file` bytes.
    virtual Result<std::string> read(const std::string& path) const = 0;
};

constexpr std::size_t largest_file = 65'536;
constexpr std::size_t most_found = 64;

/// The machine's. Every call may block for as long as the sensor behind the file likes.
const Files& kernel_files();

/// A file that fits a path with stars, and what each star stood for.
struct Found {
    std::string path;
    std::vector<std::string> stars;

    friend bool operator==(const Found&, const Found&) = default;
};

/// The files below `base` that fit `path`, in which a part may hold one star: "hwmon*/temp1_input".
/// By their stars, 2 before 10; at most `most_found`. A path without stars fits itself, whether the
/// file is there or not.
std::vector<Found> find_files(const Files& files, const std::string& base, std::string_view path);

/// `path` with its stars replaced in their order.
std::string with_stars(std::string_view path, const std::vector<std::string>& stars);

}  // namespace gateway::sysfs
