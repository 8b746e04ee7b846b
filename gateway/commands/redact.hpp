#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gateway {

/// Takes secrets out of texts that leave the box: the contents of secret files wherever they stand,
/// private keys, what a URL carries before its host, and the values of keys that are named like a
/// secret.
class Redactor {
public:
    /// `secrets`: contents; those under four characters would hide half of a text and are left.
    explicit Redactor(std::vector<std::string> secrets);

    std::string clean(std::string_view text) const;
    static constexpr std::string_view instead = "(removed)";

private:
    std::vector<std::string> secrets_;
};

}  // namespace gateway
