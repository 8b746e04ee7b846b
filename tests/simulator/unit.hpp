#pragma once

#include "drivers/modbus/codec.hpp"
#include "tests/simulator/scene.hpp"

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace simulator {

/// What was served so far.
struct Served {
    std::uint64_t requests = 0;
    std::uint64_t registers = 0;
};

/// One simulated Modbus unit: answers requests from its registers. Pure but for its models' memory.
class Unit {
public:
    Unit(Device device, Random& random, std::FILE* log);

    const Device& device() const { return device_; }
    const Served& served() const { return served_; }

    /// The PDU that answers this PDU (function and what follows), `seconds` after the start.
    gateway::Bytes answer(gateway::ByteView pdu, double seconds);
    /// The fault that is on for the request being answered; null when the device is well.
    const Fault* fault(double seconds) const;

private:
    bool refused(gateway::modbus::Function function, std::uint32_t first,
                 std::uint32_t count) const;
    void fill(gateway::modbus::Function function, std::uint32_t first, std::uint32_t count,
              std::vector<std::uint16_t>& words, double seconds);
    void fill_walking(std::uint32_t first, std::vector<std::uint16_t>& words);
    std::vector<std::uint16_t> words_of(Cell& cell, double seconds);
    double value_of(Cell& cell, double seconds);
    gateway::Bytes identification(gateway::ByteView pdu) const;
    void write_log(const std::string& what, const std::vector<std::uint16_t>& words,
                   const Cell* cell);

    Device device_;
    Random& random_;
    std::FILE* log_;
    Served served_;
    std::vector<std::uint16_t> walking_;
    std::vector<float> walking_floats_;
    std::uint16_t widest_ = 1;
};

/// The registers that hold a raw value; the inverse of `modbus::decode`.
std::vector<std::uint16_t> encode(const gateway::modbus::Encoding& encoding,
                                  const gateway::Value& raw);

}  // namespace simulator
