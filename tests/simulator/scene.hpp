#pragma once

#include "drivers/modbus/plan.hpp"
#include "gateway/config/reader.hpp"
#include "tests/simulator/framing.hpp"
#include "tests/simulator/line_device.hpp"
#include "tests/simulator/model.hpp"

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace simulator {

/// What a device does instead of answering well.
struct Fault {
    enum class Kind : std::uint8_t {
        silent,
        exception,          ///< refuses with `code`
        delay,              ///< answers later; the connection waits
        close,              ///< ends the connection
        short_frame,        ///< sends half of the answer
        wrong_transaction,  ///< answers another question
        wrong_unit,         ///< answers as its neighbour
        bad_crc,
        noise_before,  ///< bytes that belong to nothing, then the answer
        noise_after,
    };
    Kind kind = Kind::silent;
    std::uint8_t code = 4;
    gateway::Duration delay{};
    gateway::Duration from{}, to = gateway::Duration::max();  ///< since the start
    std::uint64_t first_request = 1;
    std::uint64_t last_request = std::numeric_limits<std::uint64_t>::max();
};

/// One point that lies in the device's registers.
struct Cell {
    std::string point;
    gateway::modbus::Location location;
    gateway::Fraction scale{1}, offset{0};
    std::map<std::int64_t, std::string> names;  ///< `enum` of the profile
    Model model;
};

using Address = std::pair<gateway::modbus::Function, std::uint16_t>;

struct Device {
    std::string id;
    std::string listen = "127.0.0.1:0";
    std::string behind;  ///< answers on the port of that device, by its unit
    std::uint8_t unit = 1;
    Framing framing = Framing::tcp;
    std::string serial;  ///< a link to a pseudo terminal, made for it, instead of `listen`
    unsigned baud = 0;   ///< frames take their time as on a line of this rate; 0: none
    bool echo = false;   ///< what is asked comes back, as with some adapters
    std::vector<Cell> cells;
    std::map<Address, std::uint16_t> image;  ///< registers as they are, beside the cells
    std::uint16_t walking = 0;               ///< holding registers from 0 that walk at each read
    bool walking_floats = false;             ///< two registers make a float32
    std::vector<std::pair<Address, std::uint16_t>> refused;  ///< first and count: exception 2
    std::map<std::uint8_t, std::string> objects;             ///< identification
    std::vector<Fault> faults;
};

/// A simulated town, from a TOML file (tests/simulator/README.md).
struct Scene {
    std::vector<Device> devices;
    std::vector<LineDevice> lines;
    std::string log;  ///< every value served, one JSON object per line; empty: none
    unsigned seed = 1;
};

/// `folder`: what relative paths start from.
Scene parse_scene(std::string_view text, const std::string& file, const std::string& folder,
                  gateway::Mistakes& mistakes);

}  // namespace simulator
