#pragma once

#include <string>

namespace gateway {

/// The one owner of a state directory, as long as this lives. Another owner, in this process or
/// another, is StoreError at once; the text names the process that holds it. An owner leaves a note
/// of one word for the next one: the file is not synced, so that it may be lost in a power cut.
class StoreLock {
public:
    /// `look`: only that nobody owns it meanwhile; nothing is written, also not the lock's file.
    enum class Access { own, look };
    explicit StoreLock(const std::string& directory, Access access = Access::own);
    ~StoreLock();
    StoreLock(const StoreLock&) = delete;
    StoreLock& operator=(const StoreLock&) = delete;

    const std::string& previous_note() const { return previous_note_; }
    void leave(const std::string& note) const;  ///< on a full disk it is not left

private:
    int descriptor_;
    std::string previous_note_;
};

}  // namespace gateway
