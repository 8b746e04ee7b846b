#pragma once

#include "gateway/core/fraction.hpp"
#include "gateway/core/ids.hpp"
#include "gateway/core/json.hpp"
#include "gateway/core/reading.hpp"
#include "gateway/receiver/topic.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gateway {

constexpr std::size_t most_dictionary_bytes = 1'048'576;

/// One row of a device, with the parts of its lines that never change already written as JSON.
struct DictionaryRow {
    std::uint16_t row = 0;
    Fraction scale{1};
    Fraction offset;
    /// Names of raw integers, as JSON strings. The key is (does not fit int64, bits).
    std::map<std::pair<bool, std::uint64_t>, std::string> names;
    std::string subject;  ///< `,"point":…,"title":…,"quantity":…,"time":`
    std::string unit;     ///< `,"unit":…`
    std::string publish;  ///< `,"publish":…`
    std::string alarm;    ///< `,"severity":…,"text":…` of an alarm, else empty
};

/// What the rows of one device mean (protocol.md, section 3). It comes from outside: parse()
/// accepts only what is whole.
class Dictionary {
public:
    /// Checks the bytes against their hash, and box and org against the topic's.
    static Checked<Dictionary> parse(std::string_view bytes, const Topic& topic);

    /// Stands in where none is at hand: the device and its points are named by their numbers.
    static Dictionary unknown(std::uint16_t device);

    std::uint16_t device() const { return device_; }
    /// Nothing when the dictionary lacks the row.
    const DictionaryRow* row(std::uint16_t row) const;

    const std::string& head() const { return head_; }  ///< `,"device":…,"name":…`
    const std::string& tail() const { return tail_; }  ///< `,"location":…,"profile":…,"verdict":…`
    /// About how much memory this takes.
    std::size_t size_bytes() const;

private:
    std::uint16_t device_ = 0;
    std::string head_;
    std::string tail_;
    std::vector<DictionaryRow> rows_;  // ascending; the device as a whole is among them
};

}  // namespace gateway
