#pragma once

#include "drivers/modbus/registers.hpp"
#include "gateway/core/reading.hpp"

#include <cstdint>
#include <string_view>

namespace gateway::sunspec {

/// The types of the specification, section 6.4.
enum class Type : std::uint8_t {
    int16,
    uint16,
    int32,
    uint32,
    int64,
    uint64,
    float32,
    float64,
    text,
    acc16,
    acc32,
    acc64,
    enum16,
    enum32,
    bitfield16,
    bitfield32,
    bitfield64,
};

/// `name` is one of the schema's.
Type type_named(std::string_view name);
/// How the registers of the type lie: always high word first. `words`: of a text.
modbus::Encoding encoding_of(Type type, std::uint16_t words);

/// Turns what Modbus gave into what the device meant: missing where the device does not implement
/// the point.
void interpret(Type type, Sample& sample);

/// Multiplies by ten to the power of a scale factor. Bad when the factor is none: a number whose
/// factor is not known is not the point's number.
void apply_factor(const Sample& factor, Sample& sample);

}  // namespace gateway::sunspec
