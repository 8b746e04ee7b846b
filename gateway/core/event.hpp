#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace gateway {

enum class Severity : std::uint8_t { info, warning, error };

constexpr std::string_view to_string(Severity severity)
{
    switch (severity) {
        case Severity::info:
            return "info";
        case Severity::warning:
            return "warning";
        case Severity::error:
            return "error";
    }
    return "error";
}

/// Something that happened to the box or a device; a reading in lane control (protocol.md,
/// section 2.3).
struct Event {
    std::string code;  ///< constant, greppable: "device-down", "storage-lied"
    Severity severity = Severity::info;
    std::string text;     ///< one plain sentence
    std::string subject;  ///< a device id, or empty for the box
};

using EventListener = std::function<void(const Event&)>;

}  // namespace gateway
