#pragma once

#include "drivers/ascii/codec.hpp"
#include "drivers/ascii/device_time.hpp"
#include "gateway/config/profile.hpp"

#include <string>
#include <vector>

namespace gateway::ascii {

struct Settings {
    bool talking = false;                        ///< it speaks by itself and is asked nothing
    Duration timeout = std::chrono::seconds(1);  ///< of one answer
    Duration late{};                             ///< how much later one may still come; 0: never
    Duration gap{};                              ///< of silence before a request
    Duration silence{};                          ///< ends a line that has no end; 0: it has one
    Duration stale = std::chrono::seconds(25);   ///< the longest silence of a device that talks
    unsigned retries = 0;
    std::size_t lines = 1;  ///< of one answer
    bool echo = false;      ///< the line brings back what was sent
};

/// What a profile says about a model: how it writes, and in which lines its values stand.
struct LineMap {
    Grammar grammar;
    Settings settings;
    std::vector<std::string> requests;  ///< as they are sent; none for a device that talks
    std::vector<Source> points;         ///< by row
    std::vector<Source> identity;       ///< by `[[identify]]`
    std::vector<bool> required;         ///< by `[[identify]]`: the device has to say it
    std::optional<Clockwork> clock;     ///< where a line says when it was made
    std::vector<std::size_t> request_of_point, request_of_identity;  ///< into `requests`
};

/// Converts what the closed schema has checked, and checks what a single key cannot say.
/// `address`: the unit's on this site. On any mistake the map is not to be used.
LineMap read_map(const Profile& profile, const std::string& address, Mistakes& mistakes);

/// The bytes of a request: `{address}` is the unit's, `{checksum}` is over what stands before it,
/// without the start.
std::string request_bytes(const Grammar& grammar, const std::string& text,
                          const std::string& address);

}  // namespace gateway::ascii
