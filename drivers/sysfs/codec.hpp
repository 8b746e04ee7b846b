#pragma once

#include "drivers/sysfs/files.hpp"
#include "drivers/transport/pattern.hpp"
#include "drivers/transport/text_value.hpp"
#include "gateway/core/reading.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gateway::sysfs {

/// Which of several files that fit is taken. `only`: more than one is a failure.
enum class Pick : std::uint8_t { only, first, lowest, highest };

/// A file beside the one that is read, which must hold a certain text: its stars stand for what
/// the stars of that one stood for.
struct Beside {
    std::string file;
    Pattern match;
};

/// Where one value lies and how it is written.
struct Source {
    std::string file;           ///< below the device's path, with stars
    std::vector<Beside> where;  ///< chooses among the files that fit
    std::string times, plus;    ///< files beside it, as IIO has them: (raw + plus) * times
    Pick pick = Pick::only;
    std::optional<Pattern> match;   ///< its first group, or all of it, is the value
    std::optional<Pattern> intact;  ///< a text in which it is not found failed its checksum
    TextType type = TextType::int64;
    bool optional = false;  ///< that there is no such file is no failure

    /// Whether both read the same files.
    bool same_files(const Source& other) const;
};

/// What one file held, or why it could not be read.
struct Content {
    Result<std::string> text{Fault::not_found};
    std::string times, plus;
};

/// All files that a source fits and whose neighbours hold what they must; read through `files`.
std::vector<Content> fetch(const Files& files, const std::string& base, const Source& source);

/// What the files say of the source's value.
Sample sample_of(const Source& source, const std::vector<Content>& contents);

}  // namespace gateway::sysfs
