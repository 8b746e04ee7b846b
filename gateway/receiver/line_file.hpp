#pragma once

#include "gateway/receiver/ledger_state.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gateway {

/// Where lines go: a file, standard output ("-"), or nowhere ("none"). Opening a file cuts off what
/// no commit covers (protocol.md, W09). Throws std::system_error when the system refuses, and
/// std::runtime_error when the file is not the one of the mark.
class LineFile {
public:
    LineFile(const std::string& path, const std::optional<OutputMark>& mark);
    ~LineFile();
    LineFile(const LineFile&) = delete;
    LineFile& operator=(const LineFile&) = delete;

    /// False when lines go nowhere.
    bool is_wanted() const { return descriptor_ >= 0; }
    /// What to commit before the first line; nothing when the target is no file.
    std::optional<OutputMark> mark() const;
    void append(std::string_view lines);
    /// What was appended is on the disk on return. What to commit, when anything was.
    std::optional<OutputMark> sync();

private:
    void open(const std::optional<OutputMark>& mark);

    std::string path_;
    int descriptor_ = -1;
    bool is_file_ = false;
    std::uint64_t offset_ = 0;
    bool is_dirty_ = false;
};

}  // namespace gateway
