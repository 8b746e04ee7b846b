#pragma once

#include "drivers/ascii/checksum.hpp"
#include "drivers/transport/pattern.hpp"
#include "drivers/transport/text_value.hpp"
#include "gateway/core/reading.hpp"
#include "gateway/core/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gateway::ascii {

/// How a model writes its lines.
struct Grammar {
    std::string start, end;       ///< as Frames takes them
    std::size_t longest = 512;    ///< of a line
    std::string separator = ",";  ///< between fields; blanks: any run of them
    char decimal = '.';
    Checksum checksum = Checksum::none;
    bool checksum_required = true;
    std::optional<Pattern> checked;  ///< where the checksum stands; none without one
    std::vector<Pattern> invalid;    ///< what stands in the place of a value that there is not
    std::vector<Pattern> skip;       ///< lines that say nothing: comments, banners
};

/// What of a line counts: without its start, its checksum and the control characters around it.
/// Fault::bad_checksum when it is wrong, or absent and required.
Result<std::string_view> body_of(const Grammar& grammar, std::string_view line);

/// Whether a line is one of those that say nothing.
bool is_skipped(const Grammar& grammar, std::string_view line);

/// Where in which lines one value stands.
struct Source {
    enum class Form : std::uint8_t { field, key, column, match };
    Form form = Form::field;
    std::size_t field = 0;              ///< counted from 0
    std::string key;                    ///< of a list of names and values
    std::size_t column = 0, width = 1;  ///< counted from 0
    std::optional<Pattern> match;
    std::size_t group = 0;          ///< of `match`, that holds the value
    std::size_t unit_group = 0;     ///< that holds the unit; 0: it stands behind the value
    std::optional<Pattern> line;    ///< found in the lines that have the value
    std::optional<Pattern> suffix;  ///< what may stand behind the number
    bool unit = false;              ///< the unit is wanted, not the value
    TextType type = TextType::float64;
    std::optional<std::pair<unsigned, unsigned>> bits;  ///< lowest and highest, of a whole number
};

/// The value of this source in the body of a line, or why there is none; nothing at all when the
/// line is not one of those that have it.
std::optional<Sample> sample_in(const Source& source, const Grammar& grammar,
                                std::string_view body);

/// Field `number` of a line; nothing when it has fewer.
std::optional<std::string_view> field_of(std::string_view body, std::string_view separator,
                                         std::size_t number);

/// What stands behind `key` in a list such as "Dn=236D,Dm=283D" or "P= 1013.2 hPa T= 23.4 C".
std::optional<std::string_view> item_of(std::string_view body, std::string_view separator,
                                        std::string_view key);

/// A number and what stands behind it: "236D" is "236" and "D".
struct Parts {
    std::string_view number, suffix;
};
Parts parts_of(std::string_view text, char decimal);

}  // namespace gateway::ascii
