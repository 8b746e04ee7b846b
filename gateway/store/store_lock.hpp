#pragma once

#include <string>

namespace gateway {

/// The one owner of a state directory, as long as this lives. Another owner, in this process or
/// another, is StoreError at once; the text names the process that holds it.
class StoreLock {
public:
    /// `look`: only that nobody owns it meanwhile; nothing is written, also not the lock's file.
    enum class Access { own, look };
    explicit StoreLock(const std::string& directory, Access access = Access::own);
    ~StoreLock();
    StoreLock(const StoreLock&) = delete;
    StoreLock& operator=(const StoreLock&) = delete;

private:
    int descriptor_;
};

}  // namespace gateway
