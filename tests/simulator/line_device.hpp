#pragma once

#include "drivers/ascii/checksum.hpp"
#include "gateway/config/reader.hpp"
#include "tests/simulator/model.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace simulator {

/// What a device of lines does instead of answering well.
struct LineFault {
    enum class Kind : std::uint8_t {
        silent,
        delay,  ///< answers later
        close,  ///< ends the connection
        cut,    ///< sends half of the answer
        noise,  ///< sends rubbish before the answer, on the same line
    };
    Kind kind = Kind::silent;
    gateway::Duration delay{};
    std::uint64_t first_request = 1;
    std::uint64_t last_request = UINT64_MAX;
};

/// A device that answers requests with lines, or speaks them by itself. In a line `{name}` is the
/// value of that name now, and `{checksum}` is over what stands before it.
struct LineDevice {
    std::string id;
    std::string listen = "127.0.0.1:0";
    std::vector<std::pair<std::string, std::vector<std::string>>> answers;  ///< by request
    gateway::Duration every{};        ///< at which it speaks; 0: never
    std::vector<std::string> speaks;  ///< all of them each time
    std::string start;                ///< of a line, not in its checksum
    gateway::ascii::Checksum checksum = gateway::ascii::Checksum::none;
    std::map<std::string, Model, std::less<>> values;
    std::vector<LineFault> faults;
    std::uint64_t requests = 0;  ///< that it was asked

    /// The fault that is on for this request; null when the device is well.
    const LineFault* fault() const;
    /// What it says now.
    std::string say(const std::vector<std::string>& lines, double seconds, Random& random);
};

/// One `[[lines]]` of a scene.
LineDevice parse_line_device(gateway::Table& table);

}  // namespace simulator
