#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace gateway {

/// Writes a saved message for people: its header, then its lines. 0; 1 when a receiver would
/// refuse it, saying why; 2 when a file cannot be read.
int decode_file(const std::string& path, const std::vector<std::string>& dictionary_paths,
                std::ostream& out, std::ostream& problems);

}  // namespace gateway
