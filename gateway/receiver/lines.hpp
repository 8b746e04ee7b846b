#pragma once

#include "gateway/core/ranges.hpp"
#include "gateway/receiver/dictionary.hpp"
#include "gateway/store/batch.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gateway {

/// "2026-11-22T03:07:27.123Z", quoted; remembers the last second, since readings come in order.
class UtcText {
public:
    /// Appends `null` for years that four digits do not write.
    void append(std::string& out, std::int64_t unix_ms);

private:
    std::int64_t second_ = -1;
    std::string text_;  // of `second_`, up to the point
};

/// The clock of a batch as far as it dates readings: Unix ms - CLOCK_BOOTTIME ms.
std::optional<std::int64_t> wall_minus_boot_ms(const BatchHeader& header);

/// Nothing when one of them is not known.
std::optional<std::int64_t> unix_ms(const std::optional<BootTime>& time,
                                    std::optional<std::int64_t> wall_minus_boot);

/// Writes the lines of one batch's readings (protocol.md, section 9). It keeps references to all
/// it is made from.
class ReadingLines {
public:
    /// `dictionaries` are those of `header.dictionaries`, in that order. `wall_minus_boot` is
    /// nothing while the time is unknown.
    ReadingLines(std::string_view org, const BatchHeader& header,
                 std::optional<std::int64_t> wall_minus_boot,
                 const std::vector<std::shared_ptr<const Dictionary>>& dictionaries);

    /// One line, with its line feed. The reading's device is the box or one that the header names.
    void append(std::string& out, std::uint64_t sequence, const Reading& reading);

private:
    void append_event(std::string& out, std::uint64_t sequence, const Reading& reading);
    void append_time(std::string& out, const Reading& reading);
    const Dictionary& dictionary_of(std::uint16_t device);

    const BatchHeader& header_;
    std::optional<std::int64_t> wall_minus_boot_;
    const std::vector<std::shared_ptr<const Dictionary>>& dictionaries_;
    const Dictionary* latest_ = nullptr;  // of the reading before
    std::string key_;                     // `"box":…,"org":…,"epoch":…`
    std::string start_;                   // a reading's line up to its sequence
    std::string clock_;                   // `,"clock":…`
    UtcText utc_;
};

/// What a gap or correction line is about.
struct LineKey {
    std::string_view box;
    std::string_view org;
    EpochId epoch;
    Lane lane = Lane::telemetry;
};

std::string_view to_string(LossReason reason);
/// `last` is nothing for the unknown tail of an epoch whose store was lost.
void append_gap(std::string& out, const LineKey& key, std::uint64_t first,
                std::optional<std::uint64_t> last, std::string_view reason,
                std::optional<std::int64_t> first_unix_ms,
                std::optional<std::int64_t> last_unix_ms);
void append_correction(std::string& out, std::string_view box, std::string_view org,
                       const BootId& boot, std::int64_t wall_minus_boot, std::uint32_t error_ms);

/// The value that people see, as JSON; null when there is none.
void append_value(std::string& out, const Value& raw, const DictionaryRow& row);

}  // namespace gateway
