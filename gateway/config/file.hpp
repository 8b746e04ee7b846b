#pragma once

#include "gateway/core/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace gateway {

/// The whole of a regular file of at most `most` bytes; larger is Fault::too_large.
Result<std::string> read_file(const std::string& path, std::size_t most);
/// The same; a file that others than its owner may read or write is refused.
Result<std::string> read_private_file(const std::string& path, std::size_t most);

/// Replaces `path` in one step that survives a power cut: temporary file, fsync, rename, fsync of
/// the folder. Makes the folder when it is missing. `mode` is of a new file.
Status replace_file(const std::string& path, std::string_view content, unsigned mode = 0640);
/// What was made, renamed or removed in the folder survives a power cut.
Status sync_folder(const std::string& path);

}  // namespace gateway
