#pragma once

#include "gateway/core/ids.hpp"
#include "gateway/core/json.hpp"
#include "gateway/core/lane.hpp"
#include "gateway/core/ranges.hpp"
#include "gateway/core/result.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gateway {

constexpr std::size_t most_receipt_bytes = 262'144;
constexpr std::size_t most_receipt_ranges = 64;
constexpr std::size_t most_needs = 1'024;

/// What the platform has committed (protocol.md, section 4).
struct Receipt {
    std::string receiver, box;
    bool hello = false;
    std::map<EpochId, PerLane<std::vector<Range>>> epochs;  ///< ascending, disjoint
    std::vector<DictionaryHash> need;
};

/// `[[1,4],[7,9]]`, ascending and disjoint, at most so many; nothing for anything else.
std::optional<std::vector<Range>> parse_ranges(const json::value& value,
                                               std::size_t most = most_receipt_ranges);

/// Parses bytes from outside; a receipt that breaks any rule is refused whole: Fault::too_large or
/// malformed. Lanes of a later release are passed over.
Result<Receipt> parse_receipt(std::string_view text);

}  // namespace gateway
