#include "gateway/core/quality.hpp"

#include <array>

namespace gateway {

namespace {

constexpr std::array<std::string_view, quality_count> quality_names{
    "good", "suspect", "missing", "bad", "stale", "comm_error", "config_error"};

constexpr std::array<std::string_view, 25> cause_names{"none",
                                                       "maintenance",
                                                       "out_of_range",
                                                       "rate",
                                                       "stuck",
                                                       "disagree",
                                                       "device_status",
                                                       "mismatch",
                                                       "recalled",
                                                       "unsigned",
                                                       "timeout",
                                                       "crc",
                                                       "store_slow",
                                                       "thinned",
                                                       "clock",
                                                       "short_frame",
                                                       "unexpected_reply",
                                                       "unreachable",
                                                       "not_a_number",
                                                       "sentinel",
                                                       "bad_enum",
                                                       "dependency",
                                                       "late",
                                                       "parameter",
                                                       "disabled"};

}  // namespace

std::string_view to_string(Quality quality)
{
    const auto index = static_cast<std::size_t>(quality);
    return index < quality_names.size() ? quality_names[index] : "unknown";
}

std::string to_string(Cause cause)
{
    const auto number = static_cast<unsigned>(cause);
    constexpr auto base = static_cast<unsigned>(Cause::exception_base);
    if (number < cause_names.size()) {
        return std::string(cause_names[number]);
    }
    if (number >= base && number < base + 1000) {
        return "exception_" + std::to_string(number - base);
    }
    return "cause_" + std::to_string(number);
}

}  // namespace gateway
