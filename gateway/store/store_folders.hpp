#pragma once

#include <optional>
#include <string>
#include <vector>

namespace gateway {

/// The folders `store/N/` of a state directory. The highest N is the store in use; those below were
/// set aside and wait for their salvage. Nothing is ever renamed.
class StoreFolders {
public:
    /// The state directory; made when it is not there, if that can be done.
    explicit StoreFolders(std::string directory);

    const std::string& directory() const { return directory_; }
    /// Those that exist, ascending; nothing when that cannot be told now.
    std::optional<std::vector<unsigned>> all() const;
    std::string database(unsigned number) const;  ///< the path of its file
    /// Durable on return. Throws StoreError.
    void make(unsigned number) const;
    void remove(unsigned number) const;

private:
    std::string directory_;
};

}  // namespace gateway
